"""Prints one JSON document: findings, gas and outcomes of everything the tests know. Run by several Pythons.

All interpreters, hash seeds and orders of work must print the same bytes. Signatures play no part in it, so a
Python without PyNaCl can run it too.
"""

import json
import sys
from pathlib import Path
from types import ModuleType

HERE = Path(__file__).parent
ROOT = HERE.parents[1]


def _without_signatures() -> None:
    try:
        import nacl.bindings  # noqa: F401
    except ImportError:
        bindings, exceptions = ModuleType("nacl.bindings"), ModuleType("nacl.exceptions")
        for name in ("crypto_sign", "crypto_sign_BYTES", "crypto_sign_open", "crypto_sign_seed_keypair"):
            setattr(bindings, name, None)
        exceptions.BadSignatureError = ValueError
        sys.modules |= {"nacl": ModuleType("nacl"), "nacl.bindings": bindings, "nacl.exceptions": exceptions}


def findings_of_broken() -> dict[str, list[str]]:
    from consortium.vm.check import check

    files = sorted((HERE / "broken").glob("*.py"))
    return {path.name: [str(finding) for finding in check(path.read_bytes(), path.name)] for path in files}


def outcomes_of_programs(count: int) -> dict[str, list]:
    from engine_bench import IMPORT, Bench
    from programs import program

    from consortium.vm.execute import ContractSet, load_contract

    found = {}
    for seed in range(count):
        source = f"{IMPORT}@action\n{program(seed)}".encode()
        ledger = Bench(ContractSet([load_contract("c", 1, source, "program")]))
        found[str(seed)] = [
            _shown(ledger.raw("f", inputs)) for inputs in ((0, 1, "", ()), (5, -3, "x-y", (4, 0, -1, 4)))
        ]
    return found


def outcomes_of_hostile() -> dict[str, list]:
    import re

    from engine_bench import IMPORT, Bench

    from consortium.vm.check import check
    from consortium.vm.execute import ContractSet, load_contract

    # The corpus is YAML; here only its indented sources are needed, not a YAML reader.
    text = (HERE / "hostile.yaml").read_text(encoding="utf-8")
    found = {}
    for name, block in re.findall(
        r"- id: (\S+)\n  kind: .*\n  expected: .*\n  source: \|\n((?:    .*\n|\n)+)", text
    ):
        body = re.sub(r"(?m)^    ", "", block).rstrip()
        body = re.sub(r"(?m)^(?<!@\n)def f\(", "@action\ndef f(", body)
        body = re.sub(r"(?m)^def (?!f\()", "@helper\ndef ", body)
        source = f"{IMPORT}{body}\n".encode()
        findings = [str(finding) for finding in check(source, "hostile.py")]
        if findings or name.endswith("-near"):
            found[name] = findings
        else:
            found[name] = _shown(Bench(ContractSet([load_contract("c", 1, source, "hostile.py")])).run("f"))
    return found


def outcomes_of_contracts() -> dict[str, list]:
    from consortium.vm.bind import load_contract

    return {
        path.name: [load_contract(path.stem, 1, path.read_bytes(), path.name).source_hash.hex()]
        for path in sorted((ROOT / "contracts").glob("*.py"))
    }


def _shown(outcome) -> list:
    return [
        outcome.status, outcome.code, outcome.contract, outcome.function, outcome.statement, outcome.gas_used,
        repr(outcome.result), repr(outcome.events), repr(outcome.writes),
    ]  # fmt: skip


def main() -> None:
    sys.path[:0] = [str(HERE), str(ROOT)]
    _without_signatures()
    document = {
        "broken": findings_of_broken(),
        "hostile": outcomes_of_hostile(),
        "programs": outcomes_of_programs(int(sys.argv[1])),
        "contracts": outcomes_of_contracts(),
    }
    sys.stdout.write(json.dumps(document, indent=0, sort_keys=True))


if __name__ == "__main__":
    main()
