"""What codes mean: of scenarios (S-nnn), of the contract language (E-LANG-nnn), of the engine (E-WORD)."""

import textwrap

from consortium.errors import InputError
from consortium.scenario.codes import CODES, TEXT_WIDTH
from consortium.scenario.problems import nearest
from consortium.vm.language import RULES

ENGINE_CODES = {
    "E-ARGS": "The arguments do not fit the action: their number, a type, or a text that cannot be a key.",
    "E-BUNDLE": "The transaction did not come in a bundle of its sender's own access bank.",
    "E-CALL-DEPTH": "Calls from contract to contract, or of helpers, went deeper than the language allows.",
    "E-DATE": "A day outside the years that the calendar or the engine knows.",
    "E-DUPLICATE-KEY": "A record with this key exists already.",
    "E-EXPIRED": "The transaction came into a block after the business time until which it was meant.",
    "E-INDEX": "A position outside a list.",
    "E-INITIAL": "A new record must begin with its first status and its defaults.",
    "E-INTERNAL": "A failure inside the engine, equal at every bank. Please report it.",
    "E-INVARIANT": "A declared invariant of the contract does not hold after the action.",
    "E-KEY": "There is no record with this key, or the key that signed is not the member's present one.",
    "E-LOOP-CHANGE": "A collection was changed while it was walked through.",
    "E-NONCE": "The transaction's number is outside the window of its sender's session.",
    "E-OUT-OF-GAS": "The gas limit of the transaction is used up.",
    "E-READ-ONLY": "A query tried to write.",
    "E-REENTRANT": "A contract was called again while it was still in a call.",
    "E-TYPE": "A value does not have the type that is needed, or amounts of two currencies were mixed.",
    "E-VALUE-DEPTH": "A value is nested deeper than the engine stores.",
    "E-VALUE-SIZE": "A number, a text, a list or a key is larger than the engine stores.",
    "E-ZERO-DIV": "A division by zero.",
}
TRADE_CODES = {
    "E_ROLE": "The signer does not have the role that the action asks for, on this instrument.",
    "E_NOT_OWNER": "The signer is not the holder of what it wants to move.",
    "E_CONSENT": "A signature that the action needs besides the sender's is missing.",
    "E_STATE": "The instrument's status does not allow the action.",
    "E_HOLD": "A party or an instrument is under a hold.",
    "E_DATE": "The action is too early or too late, or a date in it is not possible.",
    "E_AMOUNT": "An amount is zero, negative, or does not add up.",
    "E_EXPIRED": "What the action relies on has expired.",
    "E_TENOR": "The time to maturity is too long or does not fit the kind of credit.",
    "E_TOLERANCE": "A drawing alone is above or below what the credit's tolerance allows.",
    "E_OVERDRAW": "A drawing fits alone, but not what is left of the credit.",
    "E_LIMIT": "The limit that a bank granted is used up.",
    "E_FUNDS": "The account does not hold the money.",
    "E_PRECLUDED": "A bank that acted too late, or twice, has lost its right to refuse.",
    "E_DUP_INVOICE": "The invoice is already reserved or financed.",
    "E_PLEDGED": "The claim is pledged and cannot be moved.",
    "E_SANCTION": "Screening found a party that may not be dealt with.",
    "E_STALE": "The action rests on information that has been replaced.",
}


def explain(code: str) -> str:
    """Return what a code means, for people. Raises InputError for a code that does not exist."""
    wanted = code.strip().upper()
    known = {**dict.fromkeys(CODES), **dict.fromkeys(RULES), **ENGINE_CODES, **TRADE_CODES}
    if wanted not in known:
        near = nearest(wanted, known)
        hint = f"; did you mean {near}?" if near else "; codes look like S-104, E-LANG-017, E-KEY or E_DATE"
        raise InputError(f"there is no code '{code[:20]}'{hint}")
    if wanted in CODES:
        return _laid_out(wanted, CODES[wanted].title, CODES[wanted].text)
    if wanted in RULES:
        rule = RULES[wanted]
        return _laid_out(wanted, title_of(wanted), f"Instead: {rule.advice.replace('{}', '...').strip()}")
    return _laid_out(wanted, "a transaction was refused", known[wanted] or "")


def title_of(code: str) -> str:
    """Return one line about a code of a scenario or of the contract language."""
    if code in CODES:
        return CODES[code].title
    rule = RULES.get(code)
    return rule.reason.replace("{}", "...").strip().rstrip(".") if rule else code


def _laid_out(code: str, title: str, text: str) -> str:
    return f"{code}: {title}\n\n{textwrap.fill(text, TEXT_WIDTH)}"
