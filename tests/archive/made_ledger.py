"""A small finished ledger, made without a network: real blocks, signatures and certificates."""

from pathlib import Path

from consortium.archive.read import Archive
from consortium.archive.write import FinishedLedger, write_archive
from consortium.calendar import DAY_US, Calendar, day_of, moment
from consortium.certificate import certificate_of, vote_body
from consortium.crypto import Ed25519Scheme, hash_bytes
from consortium.ledger.audit import COLUMNS
from consortium.ledger.genesis import Deployment, Genesis, Limits, Opening
from consortium.ledger.transaction import (
    Party,
    batch_of,
    bundle_body,
    bundle_of,
    null_batch_digest,
    transaction_body,
    transaction_of,
)
from consortium.ledger.transition import Rules, genesis_block, next_block
from consortium.membership import Membership, Organisation, OrganisationKind
from consortium.money import Day
from consortium.vm.execute import ContractSet, load_contract


class RememberingScheme(Ed25519Scheme):
    """Verifies each signature once: the tests audit nearly the same ledger thousands of times."""

    def __init__(self):
        self._verdicts = {}

    def verify(self, public_key, body, signature):
        key = (public_key, body, signature)
        if key not in self._verdicts:
            self._verdicts[key] = super().verify(public_key, body, signature)
        return self._verdicts[key]


SCHEME = RememberingScheme()
BANKS = ("ICBC", "BOC", "CCB", "ABC")
COMPANIES = {"Steel": "ICBC", "Mills": "BOC"}
SIGNERS = {name: SCHEME.signer(hash_bytes(name.encode())) for name in (*BANKS, *COMPANIES)}
GAS_PER_BLOCK = 15_000
START_US = moment(Day.of("2026-03-02"), 10 * 60)
SOURCE = (Path(__file__).parent / "notes_contract.py").read_bytes()


def genesis():
    organisations = [
        Organisation(
            id=name, name=f"{name} Bank", kind=OrganisationKind.BANK, public_key=SIGNERS[name].public_key
        )
        for name in BANKS
    ] + [
        Organisation(
            id=name,
            name=f"{name} Ltd",
            kind=OrganisationKind.COMPANY,
            public_key=SIGNERS[name].public_key,
            access_bank=bank,
        )
        for name, bank in COMPANIES.items()
    ]
    return Genesis(
        name="made",
        start_us=START_US,
        membership=Membership(epoch=0, organisations=tuple(organisations), validators=BANKS, f=1),
        consensus=(("window", 64),),
        calendar=Calendar(years=(2026,), holidays=(), make_up_days=()),
        contracts=(Deployment(name="notes", version=1, source_hash=hash_bytes(SOURCE)),),
        openings=(Opening(contract="notes", function="open_till", arguments=("ICBC", (500, "CNY"))),),
        limits=Limits(gas_per_block=GAS_PER_BLOCK, due_per_block=3),
    )


class Maker:
    """Makes blocks one by one, as four banks that agree would."""

    def __init__(self):
        self.genesis = genesis()
        self.chain = self.genesis.chain
        self.rules = Rules(
            genesis=self.genesis,
            chain=self.chain,
            membership=self.genesis.membership,
            contracts=ContractSet([load_contract("notes", 1, SOURCE, "notes_contract.py")]),
            calendar=self.genesis.calendar,
        )
        self.blocks = [genesis_block(self.rules)]
        self.commits = {}
        self.sequence = 0
        self.numbers = {}

    def transaction(self, sender, action, *arguments, agreed_by=(), session=0, number=None, **more):
        if number is None:
            number = self.numbers[sender, session] = self.numbers.get((sender, session), 0) + 1
        body = transaction_body(
            chain=self.chain,
            sender=Party(organisation=sender, key_number=1),
            session=session,
            number=number,
            contract="notes@1",
            action=action,
            arguments=arguments,
            agreed_by=tuple(Party(organisation=name, key_number=1) for name in agreed_by),
            **more,
        )
        return transaction_of(body, tuple(SIGNERS[name].sign(body) for name in (sender, *agreed_by)))

    def bundle(self, bank, *transactions):
        index = BANKS.index(bank)
        body = bundle_body(self.chain, 0, index, tuple(transaction.id for transaction in transactions))
        return bundle_of(body, SIGNERS[bank].sign(body), transactions)

    def block(self, *bundles, after_us=1_000_000):
        self.sequence += 1
        batch = batch_of(self.chain, 0, bundles, self.blocks[-1].header.time_us + after_us)
        block = next_block(self.rules, self.blocks[-1], batch, 0, self.sequence)
        self.blocks.append(block)
        self._commit(batch.digest)
        return block

    def null_slot(self):
        self.sequence += 1
        self._commit(null_batch_digest(self.chain, 0))

    def finished(self, **more):
        tip = self.blocks[-1]
        fields = (self.sequence, tip.header.height, tip.hash, tip.header.state_root)
        return FinishedLedger(
            **{
                "genesis": self.genesis,
                "blocks": self.blocks,
                "commits": self.commits,
                "checkpoint": self.certificate("CHECKPOINT", fields, (1, 2, 3)),
                "sources": {("notes", 1): SOURCE},
                "scheme": "ed25519",
                "notes": {"scenario": "made"},
            }
            | more
        )

    def certificate(self, kind, fields, voters):
        signatures = {
            index: SIGNERS[BANKS[index]].sign(vote_body(self.chain, 0, kind, index, fields))
            for index in voters
        }
        return certificate_of(0, kind, fields, signatures, len(voters))

    def _commit(self, digest):
        voters = (0, 1, 2) if self.sequence % 2 else (0, 2, 3)
        self.commits[self.sequence] = self.certificate("COMMIT", (0, self.sequence, digest), voters)


def cny(amount):
    return (amount * 100, "CNY")


def made_ledger():
    """Applied, refused, repeated, due and untaken work, co-signed transactions, a null slot, a batch of none."""
    maker = Maker()
    sign, today = maker.transaction, day_of(START_US).ordinal
    first = sign("Steel", "write", "a", cny(1))
    maker.block(maker.bundle("ICBC", first, sign("ICBC", "write", "b", cny(2), today + 1)))
    maker.block(
        maker.bundle(
            "BOC",
            sign("Mills", "write", "c", cny(3)),
            sign("Mills", "tear_up", "Steel/a"),
            sign("Mills", "hand_over", "Mills/c", "CCB", agreed_by=("CCB", "Steel")),
        ),
        maker.bundle("ICBC", first, sign("Steel", "tear_up", "Steel/a", session=3, floor=0)),
    )
    maker.null_slot()
    maker.block(
        maker.bundle(
            "CCB",
            sign("CCB", "tear_up", "Mills/c", number=900),
            sign("CCB", "write", "d", cny(5), number=1500, floor=700),
        ),
        maker.bundle(
            "ABC",
            sign("Steel", "write", "e", cny(6)),
            sign("ABC", "write", "f", cny(7), not_after_us=START_US),
        ),
        after_us=0,
    )
    for letter in "ghi":
        lapsing = [sign("ABC", "write", f"{letter}{number}", cny(1), today + 2) for number in range(2)]
        maker.block(maker.bundle("ABC", *lapsing), after_us=0)
    maker.block(
        maker.bundle("ABC", *(sign("ABC", "write", f"z{i}", cny(i + 1)) for i in range(6))), after_us=0
    )
    waiting = maker.bundle("BOC", sign("Mills", "write", "late", cny(1)))
    maker.block(waiting, after_us=3 * DAY_US)
    maker.block()
    maker.block()
    maker.block(waiting)
    return maker


def stored(ledger, folder):
    """The rows of a ledger as they come back from its database."""
    write_archive(folder / "ledger.sqlite", ledger)
    with Archive(folder / "ledger.sqlite") as archive:
        return {table: list(archive.rows(table)) for table in COLUMNS}
