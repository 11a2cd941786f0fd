"""From the well-formed pieces of a file to a scenario: what values say about each other is checked here.

Each part reports what it finds and goes on; only a file without errors becomes a `Scenario`.
"""

from fractions import Fraction

from consortium.membership import OrganisationKind, max_faulty
from consortium.scenario.arguments import ArgumentReader
from consortium.scenario.contracts import Contracts
from consortium.scenario.expectations import ExpectationReader
from consortium.scenario.flat import digest_of, flat_text, stand_alone
from consortium.scenario.model import (
    Authority,
    Bank,
    Consensus,
    Corporate,
    Fault,
    Latency,
    Limit,
    Load,
    Network,
    Scenario,
    SourceText,
)
from consortium.scenario.moments import Clock, clock_of
from consortium.scenario.nodes import Mapping, Span
from consortium.scenario.parties import Parties, parties_of
from consortium.scenario.problems import Problems, TooManyProblems, listing
from consortium.scenario.references import References
from consortium.scenario.schema import (
    FAULT_MODELS,
    LATENCY_KEYS,
    CentralBankSection,
    LatencySection,
    RegulatorSection,
)
from consortium.scenario.signatures import Catalog
from consortium.scenario.timeline import TimelineReader
from consortium.scenario.tree import place_of
from consortium.scenario.validation import Pieces


def build(
    pieces: Pieces,
    catalog: Catalog,
    problems: Problems,
    *,
    sources: tuple[SourceText, ...],
    overrides: tuple[tuple[str, str], ...],
) -> Scenario | None:
    """Return the scenario, or None if anything is wrong; `problems` then says what."""
    try:
        clock = _clock(pieces, problems)
        parties = parties_of(pieces, problems)
        contracts = Contracts(pieces, catalog, problems)
        contracts.deploy_named()
        references = References(problems)
        files: dict[int, bytes] = {}
        steps = TimelineReader(pieces, problems, parties, clock, contracts, references, files).steps()
        reader = ExpectationReader(pieces, problems, parties, clock, contracts, references)
        expectations = reader.expectations()
        regulator = _authority("regulator", pieces.regulator, parties, reader)
        central_bank = _authority("central_bank", pieces.central_bank, parties, reader)
        limits = _limits(pieces, problems, parties)
        consensus = _consensus(pieces, problems)
        network = _network(pieces, problems)
        faults = _faults(pieces, problems, parties, clock)
        load = _load(pieces, problems, contracts)
        _check_keys(pieces, problems)
        contracts.deploy_used()
        uses = contracts.uses(ArgumentReader(problems, parties, clock, file_digests=files))
    except TooManyProblems:
        return None
    if problems.any_error or clock is None or pieces.calendar is None or consensus is None:
        return None
    flat = stand_alone(pieces.tree.root, files)
    return Scenario(
        name=pieces.name,
        title=pieces.title,
        seed=pieces.seed,
        digest=digest_of(flat),
        calendar=clock.calendar,
        zone=pieces.calendar.zone,
        roll=pieces.calendar.roll,
        start_us=clock.start_us,
        banks=_banks(pieces),
        corporates=_corporates(pieces),
        regulator=regulator,
        central_bank=central_bank,
        limits=limits,
        network=network,
        consensus=consensus,
        contracts=uses,
        faults=faults,
        steps=steps,
        expectations=expectations,
        load=load,
        sources=sources,
        flat_text=flat_text(flat),
        overrides=overrides,
        warnings=tuple(problem for problem in problems.found if problem.severity == "warning"),
    )


def faulty_validators_problem(f: int, validators: int) -> tuple[str, str]:
    """Return message and help for an f that is too large."""
    message = f"f: {f} needs at least {3 * f + 1} validators, this file has {validators}"
    largest = max_faulty(validators)
    return message, f"the largest f here is {largest}; or make more banks validators"


def _clock(pieces: Pieces, problems: Problems) -> Clock | None:
    return None if pieces.calendar is None else clock_of(pieces.calendar, pieces.tree, problems)


def _banks(pieces: Pieces) -> tuple[Bank, ...]:
    return tuple(
        Bank(
            id=section.id,
            name=section.name or section.id,
            roles=tuple(section.roles),
            validator=section.validator,
            own=section.own,
            key_seed=_seed(section.key),
        )
        for section in (placed.section for placed in pieces.banks)
    )


def _corporates(pieces: Pieces) -> tuple[Corporate, ...]:
    return tuple(
        Corporate(
            id=section.id,
            name=section.name or section.id,
            bank=section.bank,
            cash=section.cash,
            key_seed=_seed(section.key),
        )
        for section in (placed.section for placed in pieces.corporates)
    )


def _authority(
    name: str,
    section: RegulatorSection | CentralBankSection | None,
    parties: Parties,
    reader: ExpectationReader,
) -> Authority | None:
    if section is None:
        return None
    sees = tuple(section.sees) if isinstance(section, RegulatorSection) else ()
    for index, pattern in enumerate(sees):
        reader.pattern_known(pattern, reader.pieces.tree.span((name, "sees", index)))
    return Authority(
        id=section.id,
        name=section.name or section.id,
        bank=parties.bank_of(section.id),
        sees=sees,
        key_seed=_seed(section.key),
    )


def _seed(key: str | None) -> bytes | None:
    return None if key is None else bytes.fromhex(key)


def _check_keys(pieces: Pieces, problems: Problems) -> None:
    """Two parties with one key could sign for each other."""
    first: dict[str, Span] = {}
    keys = [(each.path, each.section.key) for each in pieces.banks]
    keys += [(each.path, each.section.key) for each in pieces.corporates]
    for path, key in keys:
        if key is None:
            continue
        span = pieces.tree.span((*path, "key"))
        if key in first:
            related = (first[key].related("first at"),)
            problems.add(span.problem("S-210", "another party has this key", related=related))
        first.setdefault(key, span)


def _limits(pieces: Pieces, problems: Problems, parties: Parties) -> tuple[Limit, ...]:
    limits = []
    first: dict[tuple[str, str, str], Span] = {}
    for placed in pieces.limits:
        section = placed.section
        span = pieces.tree.span((*placed.path, "bank"))
        parties.check(section.bank, span, kinds=(OrganisationKind.BANK,), what="bank")
        holders = (OrganisationKind.BANK, OrganisationKind.COMPANY)
        parties.check(section.party, pieces.tree.span((*placed.path, "party")), kinds=holders)
        if section.amount.minor < 0:
            amount_span = pieces.tree.span((*placed.path, "amount"))
            problems.add(amount_span.problem("S-107", "a limit cannot be negative"))
        key = (section.bank, section.party, section.kind)
        if key in first:
            problems.add(
                span.problem(
                    "S-213",
                    f"{section.bank} has set this limit for {section.party} before",
                    related=(first[key].related("first at"),),
                )
            )
        first.setdefault(key, span)
        limits.append(Limit(bank=section.bank, party=section.party, amount=section.amount, kind=section.kind))
    balances = [(each.path, "own", each.section.own) for each in pieces.banks]
    balances += [(each.path, "cash", each.section.cash) for each in pieces.corporates]
    for path, name, amount in balances:
        if amount.minor < 0:
            problems.add(
                pieces.tree.span((*path, name)).problem("S-107", f"{name} cannot be negative at the start")
            )
    return tuple(limits)


def _consensus(pieces: Pieces, problems: Problems) -> Consensus | None:
    section = pieces.consensus
    validators = sum(1 for placed in pieces.banks if placed.section.validator)
    path = ("consensus",)
    tree = pieces.tree
    if pieces.banks and not validators:
        problems.add(
            tree.span(("banks",), key=True).problem(
                "S-206", "no bank is a validator", help_text="write validator: true for at least one"
            )
        )
    complete = len(pieces.banks) == len(getattr(tree.node(("banks",)), "items", ()))
    if section.f is not None and complete and section.f > max_faulty(validators):
        span = tree.span((*path, "f"), key=True)
        message, advice = faulty_validators_problem(section.f, validators)
        problems.add(span.problem("S-207", message, help_text=advice))
    window = section.window if section.window is not None else 2 * section.checkpoint
    if window < section.checkpoint:
        problems.add(
            tree.span((*path, "window"), key=True).problem(
                "S-208",
                f"the window {window} is smaller than the checkpoint interval {section.checkpoint}",
                help_text="the group would stop before its next checkpoint; two intervals are usual",
            )
        )
    if section.pipeline > window:
        problems.add(
            tree.span((*path, "pipeline"), key=True).problem(
                "S-208", f"the pipeline {section.pipeline} does not fit into the window {window}"
            )
        )
    if section.view_timeout <= section.batch.wait:
        problems.add(
            tree.span((*path, "view_timeout"), key=True).problem(
                "S-208",
                "the view timeout is not longer than a batch waits",
                help_text="the primary would be suspected while it still collects requests",
            )
        )
    if not validators:
        return None
    return Consensus(
        protocol=section.protocol,
        f=section.f if section.f is not None else max_faulty(validators),
        f_given=section.f is not None,
        batch_max=section.batch.max,
        batch_wait_us=section.batch.wait,
        checkpoint_interval=section.checkpoint,
        window=window,
        pipeline=section.pipeline,
        view_timeout_us=section.view_timeout,
    )


def _network(pieces: Pieces, problems: Problems) -> Network:
    section = pieces.network
    return Network(
        preset=section.preset,
        latency=None if section.latency is None else _latency(section.latency, pieces, problems),
        loss_ppm=section.loss,
        duplication_ppm=section.duplication,
        reordering_ppm=section.reordering,
        bandwidth_bits_per_s=section.bandwidth,
    )


def _latency(section: LatencySection, pieces: Pieces, problems: Problems) -> Latency | None:
    """Return the latency; each kind has its own keys, all of them and no others."""
    path = ("network", "latency")
    keys = LATENCY_KEYS[section.kind]
    node = pieces.tree.node(path)
    written = set(node.entries) if isinstance(node, Mapping) else set()
    for key in ("median", "p99", "min", "max"):
        if key in written and key not in keys:
            problems.add(
                pieces.tree.span((*path, key), key=True).problem(
                    "S-101",
                    f"a {section.kind} latency has no {key}",
                    help_text=f"it has: {listing(keys)}",
                )
            )
    missing = [key for key in keys if key not in written]
    if missing:
        span = pieces.tree.span(path, key=True)
        problems.add(span.problem("S-102", f"a {section.kind} latency needs {' and '.join(missing)}"))
    low_us, high_us = (getattr(section, key) for key in (keys[0], keys[-1]))
    if low_us is None or high_us is None:
        return None
    if high_us < low_us or (section.kind == "lognormal" and low_us == 0):
        span = pieces.tree.span((*path, keys[-1]), key=True)
        problems.add(span.problem("S-107", f"{keys[-1]} must be at least {keys[0]}, and more than nothing"))
    return Latency(kind=section.kind, low_us=low_us, high_us=high_us)


def _faults(pieces: Pieces, problems: Problems, parties: Parties, clock: Clock | None) -> tuple[Fault, ...]:
    faults = []
    validators = {placed.section.id for placed in pieces.banks if placed.section.validator}
    for placed in pieces.faults:
        section = placed.section
        kind = next(name for name in FAULT_MODELS if hasattr(section, name))
        target = str(getattr(section, kind))
        span = pieces.tree.span((*placed.path, kind))
        is_bank = parties.check(target, span, kinds=(OrganisationKind.BANK,), what="bank")
        if is_bank and target not in validators:
            problems.add(
                span.problem("S-211", f"'{target}' is not a validator, it has no replica to disturb")
            )
        at_us: int | None = None
        if clock is not None:
            at_us = clock.start_us
            if section.at is not None:
                at_span = pieces.tree.span((*placed.path, "at"))
                at_us = clock.time(section.at, at_span, problems, what="this fault")
        if at_us is not None:
            place = place_of(pieces.tree.span((*placed.path, kind), key=True))
            faults.append(
                Fault(kind=kind, at_us=at_us, duration_us=section.duration, target=target, place=place)
            )
    return tuple(sorted(faults, key=lambda fault: fault.at_us))


def _load(pieces: Pieces, problems: Problems, contracts: Contracts) -> Load | None:
    section = pieces.load
    if section is None:
        return None
    for name in section.mix:
        contracts.find(name, pieces.tree.span(("load", "mix", name), key=True))
    total = sum((share.fraction for share in section.mix.values()), Fraction(0))
    if total != 1:
        problems.add(
            pieces.tree.span(("load", "mix"), key=True).problem(
                "S-107", f"the mix adds up to {float(total * 100):g} %, not to 100 %"
            )
        )
    return Load(
        mix=tuple(section.mix.items()),
        arrival=section.arrival.kind,
        rates_per_1000_s=tuple(int(rate * 1000) for rate in section.arrival.rate),
        ramp_us=section.arrival.ramp,
        hold_us=section.arrival.hold,
    )
