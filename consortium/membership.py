"""Who is in the consortium: organisations, their keys, who runs a replica, who may submit for whom.

A membership holds for one epoch. Replicas are numbered by their place in `validators`; every consensus
message and certificate speaks of these numbers.
"""

from dataclasses import dataclass, field
from enum import StrEnum

from consortium.errors import InputError


class OrganisationKind(StrEnum):
    BANK = "bank"
    COMPANY = "company"
    REGULATOR = "regulator"
    CENTRAL_BANK = "central_bank"


@dataclass(frozen=True, slots=True, kw_only=True)
class Organisation:
    """A legal party and its present key.

    `key_number` counts its keys from 1; a transaction names the number of the key that signed it.
    `access_bank` is the bank through which it submits; a bank that runs a replica has none.
    """

    id: str
    name: str
    kind: OrganisationKind
    public_key: bytes
    key_number: int = 1
    access_bank: str | None = None

    def as_value(self) -> tuple[str | int | bytes | None, ...]:
        """Return the canonical fields (genesis and state)."""
        return (self.id, self.name, self.kind.value, self.public_key, self.key_number, self.access_bank)


@dataclass(frozen=True, slots=True, kw_only=True)
class Membership:
    """The members of one epoch. Raises InputError where the parts contradict each other."""

    epoch: int
    organisations: tuple[Organisation, ...]
    validators: tuple[str, ...]
    f: int
    _by_id: dict[str, Organisation] = field(init=False, repr=False, compare=False)
    _replica_keys: tuple[bytes, ...] = field(init=False, repr=False, compare=False)
    _index_of: dict[str, int] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        by_id = {organisation.id: organisation for organisation in self.organisations}
        if len(by_id) != len(self.organisations):
            raise InputError("an organisation is listed twice")
        if len(set(self.validators)) != len(self.validators):
            raise InputError("a validator is listed twice")
        for validator in self.validators:
            if validator not in by_id or by_id[validator].kind is not OrganisationKind.BANK:
                raise InputError(f"validator '{validator}' is not a bank of the consortium")
        if not 0 <= self.f <= max_faulty(len(self.validators)):
            raise InputError(
                f"f = {self.f} needs at least {3 * self.f + 1} validators, there are {len(self.validators)}"
            )
        for organisation in self.organisations:
            bank = organisation.access_bank
            if bank is not None and (bank not in by_id or by_id[bank].kind is not OrganisationKind.BANK):
                raise InputError(f"'{organisation.id}' submits through '{bank}', which is not a bank here")
        object.__setattr__(self, "_by_id", by_id)
        object.__setattr__(self, "_replica_keys", tuple(by_id[v].public_key for v in self.validators))
        object.__setattr__(self, "_index_of", {v: index for index, v in enumerate(self.validators)})

    @property
    def n(self) -> int:
        return len(self.validators)

    @property
    def quorum(self) -> int:
        return quorum_size(self.n, self.f)

    @property
    def weak_quorum(self) -> int:
        return self.f + 1

    def organisation(self, organisation_id: str) -> Organisation | None:
        return self._by_id.get(organisation_id)

    def validator_index(self, organisation_id: str) -> int | None:
        return self._index_of.get(organisation_id)

    def replica_key(self, index: int) -> bytes:
        """Return the public key of a replica; `index` must be in 0..n-1."""
        return self._replica_keys[index]

    def access_bank(self, organisation_id: str) -> str | None:
        """Return the bank that an organisation is a customer of (a bank: itself), None for a stranger."""
        organisation = self._by_id.get(organisation_id)
        if organisation is None:
            return None
        return organisation.id if organisation.kind is OrganisationKind.BANK else organisation.access_bank

    def carrier(self, organisation_id: str) -> str | None:
        """Return the validator bank whose bundle carries this organisation's transactions.

        That is its access bank, or, where that one runs no replica, the validator through which that bank
        submits. None for a stranger.
        """
        organisation = self._by_id.get(organisation_id)
        for _ in range(3):
            if organisation is None or organisation.id in self._index_of:
                break
            organisation = self._by_id.get(organisation.access_bank or "")
        return None if organisation is None else organisation.id


def quorum_size(n: int, f: int) -> int:
    """Return floor((n+f)/2)+1: any two quorums share a correct replica, and the correct ones form one.

    2f+1 would be unsafe wherever n is not 3f+1 (n = 6: two disjoint quorums of 3).
    """
    return (n + f) // 2 + 1


def max_faulty(n: int) -> int:
    """Return the largest f with 3f+1 <= n."""
    return max(0, (n - 1) // 3)
