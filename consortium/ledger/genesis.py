"""Genesis: everything the banks agreed on before the first block.

Name, members and their keys, consensus parameters, calendar, contracts by source hash with their
parameters, limits, and the opening calls (balances, credit lines) that the engine runs to make block 0. The
chain id is the first 8 bytes of its digest, so a signature for one consortium means nothing in another.
"""

from dataclasses import dataclass
from typing import Any

from consortium.calendar import Calendar
from consortium.crypto import CHAIN_BYTES, digest
from consortium.encoding import EncodingError, encode
from consortium.membership import Membership, Organisation, OrganisationKind


@dataclass(frozen=True, slots=True, kw_only=True)
class Deployment:
    """A contract of the genesis: its version, the hash of its source bytes, and parameters that override.

    `parameters` are (name, encoded value) in order of name.
    """

    name: str
    version: int
    source_hash: bytes
    parameters: tuple[tuple[str, Any], ...] = ()

    def as_value(self) -> tuple[Any, ...]:
        return (self.name, self.version, self.source_hash, self.parameters)


@dataclass(frozen=True, slots=True, kw_only=True)
class Opening:
    """A call that the engine makes for block 0: a contract's `@opening` function and its arguments."""

    contract: str
    function: str
    arguments: tuple[Any, ...]

    def as_value(self) -> tuple[Any, ...]:
        return (self.contract, self.function, self.arguments)


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """What a block may cost. All four are consensus rules and therefore genesis data."""

    gas_per_transaction: int = 2_000_000
    gas_per_block: int = 1_000_000_000
    due_per_block: int = 1_000
    time_bound_us: int = 60_000_000
    """How far a batch's business time may lie from a backup's own reading."""

    def as_value(self) -> tuple[int, ...]:
        return (self.gas_per_transaction, self.gas_per_block, self.due_per_block, self.time_bound_us)


@dataclass(frozen=True, slots=True, kw_only=True)
class Genesis:
    """The agreed beginning. `consensus` holds (parameter, value) pairs that all replicas share."""

    name: str
    start_us: int
    membership: Membership
    consensus: tuple[tuple[str, int], ...]
    calendar: Calendar
    contracts: tuple[Deployment, ...]
    openings: tuple[Opening, ...]
    limits: Limits = Limits()

    def as_value(self) -> tuple[Any, ...]:
        calendar = self.calendar
        return (
            self.name,
            self.start_us,
            tuple(organisation.as_value() for organisation in self.membership.organisations),
            self.membership.validators,
            self.membership.f,
            self.consensus,
            calendar_value(calendar),
            tuple(deployment.as_value() for deployment in self.contracts),
            tuple(opening.as_value() for opening in self.openings),
            self.limits.as_value(),
        )

    def encoded(self) -> bytes:
        return encode(self.as_value())

    @property
    def digest(self) -> bytes:
        return digest("genesis", self.as_value())

    @property
    def chain(self) -> bytes:
        return self.digest[:CHAIN_BYTES]


def genesis_of(value: Any) -> Genesis:
    """Read a genesis from its decoded form. Raises EncodingError where the form is not right."""
    try:
        name, start_us, organisations, validators, f, consensus, calendar, contracts, openings, limits = value
        return Genesis(
            name=name,
            start_us=start_us,
            membership=Membership(
                epoch=0,
                organisations=tuple(organisation_of(fields) for fields in organisations),
                validators=validators,
                f=f,
            ),
            consensus=consensus,
            calendar=calendar_of(calendar),
            contracts=tuple(
                Deployment(name=n, version=version, source_hash=source_hash, parameters=parameters)
                for n, version, source_hash, parameters in contracts
            ),
            openings=tuple(
                Opening(contract=contract, function=function, arguments=arguments)
                for contract, function, arguments in openings
            ),
            limits=Limits(
                gas_per_transaction=limits[0],
                gas_per_block=limits[1],
                due_per_block=limits[2],
                time_bound_us=limits[3],
            ),
        )
    except (TypeError, ValueError, IndexError) as error:
        raise EncodingError(f"not a genesis: {error}") from None


def organisation_of(fields: Any) -> Organisation:
    """Read an organisation from its canonical fields."""
    organisation_id, name, kind, public_key, key_number, access_bank = fields
    return Organisation(
        id=organisation_id,
        name=name,
        kind=OrganisationKind(kind),
        public_key=public_key,
        key_number=key_number,
        access_bank=access_bank,
    )


def calendar_value(calendar: Calendar) -> tuple[Any, ...]:
    return (
        calendar.version,
        calendar.market,
        calendar.years,
        calendar.holidays,
        calendar.make_up_days,
        calendar.cut_off_minute,
    )


def calendar_of(value: Any) -> Calendar:
    version, market, years, holidays, make_up_days, cut_off_minute = value
    return Calendar(
        version=version,
        market=market,
        years=years,
        holidays=holidays,
        make_up_days=make_up_days,
        cut_off_minute=cut_off_minute,
    )
