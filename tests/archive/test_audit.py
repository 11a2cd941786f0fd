"""The auditor accepts a good ledger and refuses it after any change, naming the block and what fails."""

import random
from dataclasses import replace

import pytest
from made_ledger import BANKS, SCHEME, SIGNERS, Maker, made_ledger, stored

from consortium.certificate import certificate_of, vote_body
from consortium.crypto import MacScheme, NullScheme
from consortium.encoding import decode, encode
from consortium.ledger.audit import COLUMNS, audit_ledger
from consortium.ledger.block import block_hash
from consortium.ledger.state import update
from consortium.merkle import merkle_root


class Rows:
    """A record in memory, with some tables replaced."""

    def __init__(self, tables, **changed):
        self.tables = tables | changed

    def rows(self, table):
        return iter(self.tables[table])

    def not_covered(self):
        return ()


@pytest.fixture(scope="module")
def tables(tmp_path_factory):
    return stored(made_ledger().finished(), tmp_path_factory.mktemp("good"))


def audit(tables, **changed):
    return audit_ledger(Rows(tables, **changed), SCHEME)


def problems(report):
    return [str(finding) for finding in report.findings]


def test_a_good_ledger_is_accepted(tables):
    report = audit(tables)
    assert problems(report) == []
    assert report.verdict == "true"
    assert report.height == report.blocks_executed == len(tables["blocks"]) - 1
    assert dict(report.covered) == {table: len(rows) for table, rows in tables.items()}
    signed = len(tables["bundles"]) + sum(len(decode(row[-1])) for row in tables["transactions"])
    assert report.signatures_verified == signed + 3 * len(tables["certificates"])


def test_the_made_ledger_shows_all_there_is(tables):
    """If a case is lost here, the sweep below no longer covers it."""
    receipts = {(row[2], row[4], row[5]) for row in tables["receipts"]}
    assert {("tx", "applied", None), ("tx", "repeated", None), ("due", "applied", None)} <= receipts
    assert {"E-NONCE", "E-BUNDLE", "E-EXPIRED"} <= {code for _, _, code in receipts}
    assert any(row[9] is None for row in tables["transactions"]), "none was left untaken"
    assert any(row[4] is None and row[1] == "COMMIT" for row in tables["certificates"]), "no null slot"
    assert any(len(decode(row[-1])) > 1 for row in tables["transactions"]), "none was co-signed"


@pytest.mark.parametrize("rows_max", [6, pytest.param(1000, marks=pytest.mark.long)])
@pytest.mark.parametrize("table", COLUMNS)
def test_any_changed_column_of_any_row_is_refused(tables, table, rows_max):
    rng = random.Random(f"sweep {table}")
    for number in sorted(rng.sample(range(len(tables[table])), min(rows_max, len(tables[table])))):
        row = tables[table][number]
        for place, column in enumerate(COLUMNS[table]):
            change = rng.choice(list(other_values(row[place], rng)))
            changed = [*row[:place], change, *row[place + 1 :]]
            report = audit(
                tables, **{table: [*tables[table][:number], tuple(changed), *tables[table][number + 1 :]]}
            )
            assert report.verdict == "false", (column, row[place], change)
            if COLUMNS[table][0] == "height" and column != "height":
                assert report.findings[0].height == row[0], (column, problems(report))


def other_values(value, rng):
    """The value with one bit changed, and of another type: what a damaged row can hold."""
    if isinstance(value, bytes):
        yield flipped(value, rng)
    elif isinstance(value, int):
        yield value ^ 1 << rng.randrange(8)
        yield float(value)
        yield str(value)
    elif isinstance(value, str):
        place = rng.randrange(len(value)) if value else 0
        yield value[:place] + chr(ord(value[place]) ^ 1) + value[place + 1 :] if value else "x"
        yield value.encode()
    else:
        yield 0
        yield ""


def flipped(data, rng):
    if not data:
        return b"\x00"
    place = rng.randrange(len(data))
    return data[:place] + bytes([data[place] ^ 1 << rng.randrange(8)]) + data[place + 1 :]


@pytest.mark.parametrize("table", COLUMNS)
def test_any_missing_or_doubled_row_is_noticed(tables, table):
    rows = tables[table]
    for number, row in enumerate(rows):
        without = audit(tables, **{table: rows[:number] + rows[number + 1 :]})
        # Nothing contradicts a ledger without its checkpoint, but nobody vouches for its results either.
        expected = "unknown" if row[:2] == (12, "CHECKPOINT") else "false"
        assert without.verdict == expected, row
        twice = audit(tables, **{table: [*rows[: number + 1], *rows[number:]]})
        if table not in {"contracts", "state_nodes", "state_current"}:  # the primary key keeps these apart
            assert twice.verdict == "false", row


def test_every_byte_of_a_certificate_and_of_a_header_counts(tables):
    rng = random.Random(7)
    for table in ("certificates", "blocks"):
        row = tables[table][3]
        for place in range(rng.randrange(5), len(row[-1]), 5):
            body = bytearray(row[-1])
            body[place] ^= 1 << rng.randrange(8)
            changed = [*tables[table][:3], (*row[:-1], bytes(body)), *tables[table][4:]]
            assert audit(tables, **{table: changed}).verdict == "false", place


# --- changes that are consistent in themselves ------------------------------------------------------------


def test_a_rewritten_chain_needs_the_signatures_of_a_quorum(tmp_path):
    """Whoever can write the whole file still cannot sign for the members."""
    maker = made_ledger()
    honest = maker.finished()
    two = {1: "BOC", 2: "CCB"}
    tip = maker.blocks[-1]
    fields = (maker.sequence, tip.header.height, tip.hash, tip.header.state_root)
    signatures = {
        index: SIGNERS[name].sign(vote_body(maker.chain, 0, "CHECKPOINT", index, fields))
        for index, name in two.items()
    }
    for number, (checkpoint, problem) in enumerate(
        [
            (certificate_of(0, "CHECKPOINT", fields, signatures, 2), "no quorum"),
            (certificate_of(0, "CHECKPOINT", fields, signatures | {0: signatures[1]}, 3), "does not verify"),
            (replace(honest.checkpoint, signers=0b110001), "not a member"),
            (
                replace(honest.checkpoint, signatures=honest.checkpoint.signatures[:2]),
                "2 signatures for 3 signers",
            ),
            (replace(honest.checkpoint, epoch=1), "epoch 1"),
        ]
    ):
        folder = tmp_path / str(number)
        folder.mkdir()
        report = audit(stored(replace(honest, checkpoint=checkpoint), folder))
        assert any(problem in text for text in problems(report)), problems(report)


def test_votes_for_something_else_are_no_commit_certificate(tmp_path):
    """The same signatures under another kind, or for the slot before."""
    maker = made_ledger()
    fields = maker.commits[2].fields
    as_prepare = replace(maker.certificate("PREPARE", fields, (0, 1, 2)), kind="COMMIT")
    for number, wrong in enumerate((as_prepare, maker.commits[1])):
        folder = tmp_path / str(number)
        folder.mkdir()
        report = audit(stored(maker.finished(commits={**maker.commits, 2: wrong}), folder))
        assert report.findings[0].table == "certificates"
        assert report.findings[0].height in {1, 2}


def rewritten(maker, height, **changes):
    """The chain with another block at `height`, signed by everybody: banks that all lie alike."""
    block = maker.blocks[height]
    receipts = changes.get("receipts", block.receipts)
    receipt_bytes = tuple(receipt.encoded() for receipt in receipts)
    state = changes.get("state", block.state)
    header = block.header._replace(
        receipt_root=merkle_root(receipt_bytes),
        state_root=changes.get("state_root", state.digest),
    )
    maker.blocks[height:] = [
        replace(
            block,
            header=header,
            hash=block_hash(header),
            receipts=receipts,
            receipt_bytes=receipt_bytes,
            state=state,
        )
    ]
    maker.sequence = header.sequence
    maker.commits = {s: c for s, c in maker.commits.items() if s <= header.sequence}
    return maker.finished()


def test_results_that_execution_does_not_give_are_refused_even_if_all_signed_them(tmp_path):
    maker = made_ledger()
    block = maker.blocks[2]
    key, value = block.receipts[0].writes[0]
    other = encode((*decode(value), "more"))
    lying = block.receipts[0]._replace(writes=((key, other), *block.receipts[0].writes[1:]))
    ledger = rewritten(
        maker, 2, receipts=(lying, *block.receipts[1:]), state=update(block.state, {key: other})
    )
    report = audit(stored(ledger, tmp_path))
    assert [(finding.height, finding.table) for finding in report.findings] == [(2, "receipts")]
    assert "not what executing gives: writes" in report.findings[0].problem


def test_a_state_that_the_write_sets_do_not_give_is_refused_even_if_all_signed_it(tmp_path):
    """Invariant I6."""
    maker = made_ledger()
    block = maker.blocks[2]
    ledger = rewritten(maker, 2, state=update(block.state, {b"\x03money\x00": b"more"}))
    report = audit(stored(ledger, tmp_path))
    assert report.findings[0].height == 2
    assert "not that of the replayed write sets" in report.findings[0].problem


def test_a_chain_that_was_cut_off_is_not_proved(tmp_path):
    maker = made_ledger()
    maker.blocks = maker.blocks[:5]
    maker.sequence = maker.blocks[-1].header.sequence
    maker.commits = {s: c for s, c in maker.commits.items() if s <= maker.sequence}
    report = audit(stored(maker.finished(checkpoint=None), tmp_path))
    assert report.verdict == "unknown"
    assert report.unproved == ("no checkpoint certificate proves the results of blocks 1 to 4",)


def test_another_chain_than_the_expected_one_is_refused(tables):
    report = audit_ledger(Rows(tables), SCHEME, chain_expected=b"12345678")
    assert report.verdict == "false"
    assert report.findings[0].table == "genesis"


def test_unverified_signatures_are_never_a_success(tables):
    assert audit_ledger(Rows(tables), None).verdict == "unknown"
    assert audit_ledger(Rows(tables), MacScheme()).verdict == "false"
    none = [(*tables["genesis"][0][:3], "none", *tables["genesis"][0][4:])]
    assert audit_ledger(Rows(tables, genesis=none), NullScheme()).verdict == "false"


def test_a_ledger_of_genesis_alone_is_accepted(tmp_path):
    maker = Maker()
    tip = maker.blocks[0]
    checkpoint = maker.certificate("CHECKPOINT", (0, 0, tip.hash, tip.header.state_root), range(len(BANKS)))
    report = audit(stored(maker.finished(checkpoint=checkpoint), tmp_path))
    assert problems(report) == []
    assert report.verdict == "true"


def test_a_finding_says_block_table_and_problem(tables):
    rows = [*tables["receipts"]]
    rows[0] = (*rows[0][:4], "refused", *rows[0][5:])
    assert problems(audit(tables, receipts=rows)) == [
        "block 1: receipts: column 'status' says 'refused', should be 'applied'"
    ]


def test_rubbish_in_every_column_is_a_finding_and_never_an_error(tables):
    rng = random.Random(11)
    rubbish = (None, 0, -1, 2**70, 1.5, "", "\x00", b"", b"\x90", b"\xff" * 40, True)
    for table, rows in tables.items():
        for place in range(len(COLUMNS[table])):
            number = rng.randrange(len(rows))
            for value in rng.sample(rubbish, 3):
                row = rows[number]
                if type(row[place]) is type(value) and row[place] == value:
                    continue
                changed = (*row[:place], value, *row[place + 1 :])
                report = audit(tables, **{table: [*rows[:number], changed, *rows[number + 1 :]]})
                assert report.verdict == "false", (table, COLUMNS[table][place], row[place], value)
