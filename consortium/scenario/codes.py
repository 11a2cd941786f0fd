"""What every code means: one entry for each way in which a scenario can be wrong.

`consortium check --explain S-207` prints these. S-0 files and YAML, S-1 form, names and contracts, S-2 the
group, S-3 time, S-4 what a run finds.
"""

import textwrap
from dataclasses import dataclass

from consortium.errors import InputError
from consortium.scenario.problems import listing, nearest

TEXT_WIDTH = 88


@dataclass(frozen=True, slots=True)
class Explanation:
    """A code's title, what it means and how it is mended."""

    title: str
    text: str


def explain(code: str) -> str:
    """Return the explanation of a code for people. Raises InputError for a code that does not exist."""
    wanted = code.strip().upper()
    found = CODES.get(wanted)
    if found is None:
        near = nearest(wanted, CODES)
        hint = f"; did you mean {near}?" if near else f"; codes: {listing(CODES, most=len(CODES))}"
        raise InputError(f"there is no code '{code[:20]}'{hint}")
    return f"{wanted}: {found.title}\n\n{textwrap.fill(found.text, TEXT_WIDTH)}\n"


CODES: dict[str, Explanation] = {
    "S-001": Explanation(
        "no such file",
        "The path does not lead to a file. Paths on the command line start at the working directory.",
    ),
    "S-002": Explanation(
        "not a file",
        "The path leads to a directory or a device. Name one scenario file; scenario files end in .yaml.",
    ),
    "S-003": Explanation(
        "the file cannot be read",
        "The file exists, but the system refuses to hand it out: a permission or the disk. This is "
        "about the machine, not about the scenario, so the exit code is 5.",
    ),
    "S-004": Explanation(
        "the file is too large",
        "A scenario has at most 4 MiB. Load for benchmarks is described under `load:`, not written out.",
    ),
    "S-005": Explanation(
        "the file is empty",
        "There is nothing in the file but blanks and comments. The files below scenarios/ are good to "
        "start from.",
    ),
    "S-006": Explanation(
        "not a text file",
        "The file holds NUL bytes, which no text has. Perhaps it is a picture, an archive or a database.",
    ),
    "S-007": Explanation(
        "not UTF-8",
        "Scenario files are UTF-8. Editors call this the encoding of the file; save it again as UTF-8.",
    ),
    "S-008": Explanation(
        "an invisible character",
        "Control characters, zero-width characters and those that turn the direction of text are "
        "refused, because a reader would see something else than the machine. Where one is meant, "
        "write an escape such as \\u200b in double quotes.",
    ),
    "S-009": Explanation(
        "a tab in the indentation",
        "YAML indents by spaces only. Let the editor replace tabs by spaces.",
    ),
    "S-010": Explanation(
        "not YAML",
        "The text cannot be read as YAML from this place on; the cause is often one line earlier: a"
        " missing quote, bracket or colon, or a line that does not line up. Nothing after it could "
        "be checked.",
    ),
    "S-011": Explanation(
        "a key stands twice",
        "A map has each key once. Most YAML readers silently keep the last one; here it is an error.",
    ),
    "S-012": Explanation(
        "anchors and aliases are not used",
        "`&name` and `*name` are refused, since a few lines of them can unfold into millions. "
        "Shared parts go into a file of their own, named by `extends:`. A text that begins with & "
        "or * needs quotes.",
    ),
    "S-013": Explanation(
        "tags are not used",
        "`!name` and `!!name` are refused. A text that begins with ! needs quotes.",
    ),
    "S-014": Explanation(
        "several documents",
        "One file holds one scenario. Remove the line `---` and what follows, or make two files.",
    ),
    "S-015": Explanation(
        "nested too deep",
        "Lists and maps are nested at most 32 deep. No scenario needs half of that.",
    ),
    "S-016": Explanation(
        "a key that is not a word",
        "Keys are plain words. Lists and maps cannot be keys.",
    ),
    "S-017": Explanation(
        "the top of the file is not a map",
        "A scenario is a map: `consortium: 1`, `name: ...`, `banks: [...]` and so on, each at the "
        "start of a line.",
    ),
    "S-018": Explanation(
        "files that extend each other",
        "`extends:` leads back to a file that is being read, or through too many files. Bases form "
        "a short chain.",
    ),
    "S-019": Explanation(
        "the base file cannot be used",
        "The file named by `extends:` is not there or cannot be read. Its path starts at the file "
        "that names it.",
    ),
    "S-020": Explanation(
        "an option --set that leads nowhere",
        "`--set a.b=c` goes through keys; in a list, through positions counted from 0 or through "
        "ids: `--set consensus.f=1`, `--set banks.ib1.own='5.00 CNY'`.",
    ),
    "S-101": Explanation(
        "an unknown key",
        "Every map has a fixed set of keys, and a misspelt one is never skipped. The message names "
        "those that may stand there. `consortium schema` prints the whole form, and editors "
        "complete it.",
    ),
    "S-102": Explanation(
        "a key is missing",
        "Without this key the part has no meaning. The message says where it is missing.",
    ),
    "S-103": Explanation(
        "a value of the wrong type",
        "Only `true`, `false`, `null` and whole numbers without leading zeros are typed; everything"
        " else is text, also NO, 010, 12:30 and 1e5. A number that is meant as text stands in "
        "quotes.",
    ),
    "S-104": Explanation(
        "an unknown action",
        "`do:` names a contract file and an action in it: letter_of_credit.issue is the action "
        "`issue` of contracts/letter_of_credit.py. Queries, due work and actions that only "
        "contracts call are not for parties.",
    ),
    "S-105": Explanation(
        "an unknown contract",
        "There is no contract file of this name beside the scenario or in the package, or a "
        "contract asks for another version. A contract elsewhere is named by contracts: {NAME: "
        "{file: PATH}}.",
    ),
    "S-106": Explanation(
        "not one of the words",
        "Only a few words may stand here; the message lists them.",
    ),
    "S-107": Explanation(
        "out of range",
        "A number, a length or a count is smaller or larger than it may be, or parts do not add up.",
    ),
    "S-108": Explanation(
        "a name of the wrong form",
        "Names and ids have a fixed form; the message says which.",
    ),
    "S-109": Explanation(
        "an unknown version of the format",
        "The first line is `consortium: 1`. A file with a larger number was written for a newer "
        "version of this tool.",
    ),
    "S-110": Explanation(
        "not an amount",
        "Amounts are exact and name their currency: 10_000_000.00 CNY. At most two decimals; groups"
        " of three digits may be parted by _ or by commas. There are no floating-point amounts such"
        " as 1e6.",
    ),
    "S-111": Explanation(
        "not a rate",
        "Rates are percentages: 2.60 %. They are exact, with at most nine decimals.",
    ),
    "S-112": Explanation(
        "not a day",
        "Days are written 2026-03-02, ranges 2026-05-01..2026-05-05. The day must exist.",
    ),
    "S-113": Explanation(
        "not a duration",
        "Durations are network time and always have a unit: 250 us, 4 ms, 90 s, 5 min, 1 h. "
        "Decimals are allowed down to a microsecond.",
    ),
    "S-114": Explanation(
        "not a business time",
        "Business times are +8bd 14:00 (banking days after the start), +30d 09:00 (calendar days), "
        "a date with a time such as 2026-03-02 10:00, or `end`. Seconds may follow. Hours have two "
        "digits.",
    ),
    "S-115": Explanation(
        "not a speed",
        "Bandwidth is written 100 Mbit/s (also kbit/s, Gbit/s), a rate of arrival 200/s.",
    ),
    "S-116": Explanation(
        "not a key",
        "`key:` is the 32-byte seed of a simulated party's signing key: 64 hexadecimal digits in "
        "small letters. Left out, it derives from the scenario's name and the party's id. Real keys"
        " never belong into a scenario.",
    ),
    "S-117": Explanation(
        "an unknown fault",
        "A fault has one key that says its kind and names its target: {at: +8bd 14:00, crash: ib1, "
        "for: 90 s}. The message lists the kinds that exist.",
    ),
    "S-118": Explanation(
        "an expectation that cannot be checked",
        "Each expectation checks one thing: balances, account (with balance), instrument (with "
        "state), all_nodes_agree, visible, liveness, or that. A step's own expectation is {refused:"
        " CODE}.",
    ),
    "S-120": Explanation(
        "a contract that is refused",
        "The contract exists, but the checker of the contract language refuses it, so no bank would"
        " run it. `consortium check contracts/NAME.py` shows every finding.",
    ),
    "S-121": Explanation(
        "an unknown argument",
        "The action has no parameter of this name; the message lists those it has.",
    ),
    "S-122": Explanation(
        "a missing argument",
        "The action needs arguments that `with:` does not give.",
    ),
    "S-123": Explanation(
        "an argument of the wrong type",
        "The contract declares what each parameter takes; the message says what that is and what was found.",
    ),
    "S-124": Explanation(
        "an unknown contract parameter",
        "contracts: {NAME: {parameters: {...}}} overrides what the contract declares by "
        "`parameter(...)`; this one it does not declare.",
    ),
    "S-125": Explanation(
        "an unknown refusal code",
        "No contract of this scenario can refuse with this code, so the expectation could never be "
        "met. Contract codes look like E_DATE, codes of the engine like E-NOT-SIGNED.",
    ),
    "S-126": Explanation(
        "an unknown collection or field",
        "Patterns name a contract and something it keeps: letter_of_credit.*, "
        "letter_of_credit.drawings, or a field.",
    ),
    "S-127": Explanation(
        "not a comparison",
        "After `that:` stands one comparison: two values with == != < <= > or >= between them. A "
        "value is a path ($lc.amount), a sum over a path (sum($parts.amount)), an amount, rate, "
        "date, whole number, word or quoted text. It is read, never run as code.",
    ),
    "S-128": Explanation(
        "an unknown account",
        "Accounts are own, deposit, margin, line_used and income; write app1.margin.",
    ),
    "S-129": Explanation(
        "not a hash",
        "A hash is given as 64 hexadecimal digits, as {file: PATH} (the digest of the file, path "
        "from the scenario) or as {text: TEXT} (the digest of the text). Digests are BLAKE2b-256.",
    ),
    "S-141": Explanation(
        "nothing has this name",
        "`$name` stands for what a step kept by `save: name`. No step saves this one.",
    ),
    "S-142": Explanation(
        "saved at the same instant",
        "Steps at one business time are submitted at once, so none can use what another one "
        "returns. Give the later step a later time; one second is enough.",
    ),
    "S-143": Explanation(
        "used before it is saved",
        "The step that saves this name comes later in the timeline.",
    ),
    "S-144": Explanation(
        "a reference to something else",
        "What the step saved is of another type than this argument takes.",
    ),
    "S-145": Explanation(
        "a path that leads nowhere",
        "What was saved has no field of this name; the message lists its fields.",
    ),
    "S-146": Explanation(
        "a name is saved twice",
        "Names are given once, so that $name always means the same thing.",
    ),
    "S-147": Explanation(
        "nothing to save",
        "The action returns nothing, or the step is expected to be refused.",
    ),
    "S-148": Explanation(
        "unclear who agrees",
        "The action needs the signature of a party that only the run can name. Name the signers: "
        "agreed_by: [ib1].",
    ),
    "S-201": Explanation(
        "an unknown party",
        "Parties are declared under banks, corporates, regulator and central_bank.",
    ),
    "S-202": Explanation(
        "a party of the wrong kind",
        "The party exists, but is of a kind that cannot stand here.",
    ),
    "S-203": Explanation(
        "an id stands twice",
        "Banks, corporates, regulator and central bank share one set of ids.",
    ),
    "S-204": Explanation(
        "a step id stands twice",
        "A step's id is its identity: the same id would be the same command, which is executed once.",
    ),
    "S-206": Explanation(
        "no validators",
        "At least one bank must be a validator, or nobody orders transactions.",
    ),
    "S-207": Explanation(
        "f is too large",
        "To survive f faulty validators a group needs at least 3 f + 1 of them: with fewer, two "
        "halves of the group could decide differently. 4 validators survive 1, 7 survive 2, 10 "
        "survive 3. Leave f out to get the largest possible one.",
    ),
    "S-208": Explanation(
        "consensus parameters contradict each other",
        "The window holds at least one checkpoint interval, the pipeline fits into the window, and "
        "a request waits longer before the primary is suspected than a batch waits to be filled.",
    ),
    "S-209": Explanation(
        "together through different banks",
        "`together:` is one bundle, and a bundle carries one bank's signature. All its parties act "
        "through that bank.",
    ),
    "S-210": Explanation(
        "a key is used twice",
        "Two parties with one key could sign for each other.",
    ),
    "S-211": Explanation(
        "a fault without a replica",
        "Faults disturb validators; this bank does not run one.",
    ),
    "S-212": Explanation(
        "an impossible number of validators",
        "--nodes takes 1 to 1000.",
    ),
    "S-213": Explanation(
        "a limit stands twice",
        "A bank sets one limit of a kind for a party; the later would hide the first.",
    ),
    "S-301": Explanation(
        "steps out of order",
        "The timeline is written in the order in which it happens. Steps at the same time may stand"
        " in any order.",
    ),
    "S-302": Explanation(
        "before the start",
        "Nothing happens before calendar.start.",
    ),
    "S-303": Explanation(
        "a year without a calendar",
        "Banking days of this year are not known, and they are not guessed. Give `holidays:` and "
        "`make_up:`, or write `fallback: weekends` to treat such years as having no holidays.",
    ),
    "S-304": Explanation(
        "the calendar contradicts itself",
        "The start is no date, the market is unknown, or a make-up working day is a holiday or a "
        "working day anyway.",
    ),
    "S-310": Explanation(
        "not a banking day (warning)",
        "Dates and +30d stand for themselves, and this one is a weekend or a holiday. The step runs"
        " on that day all the same, unless the file says calendar: {roll: following}. Banking days "
        "(+8bd) never land there.",
    ),
    "S-311": Explanation(
        "the end is no time",
        "`end` is for expectations; a step, a fault or a day needs a time.",
    ),
    "S-411": Explanation(
        "a step did not come out as expected",
        "The action was refused where it should be applied, applied where it should be refused, or "
        "refused with another code. The receipt names contract, function and line.",
    ),
    "S-412": Explanation(
        "an expectation failed",
        "The run ended well, but what the file expects under `expect:` does not hold. The message "
        "shows both values.",
    ),
}
