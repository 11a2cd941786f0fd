"""Lies that are consistent in themselves: each is caught by the one check that is there for it.

A changed byte contradicts some other column; these do not, so every check has to be its own witness.
"""

import pytest
from made_ledger import SCHEME, made_ledger, stored

from consortium.crypto import hash_bytes
from consortium.encoding import decode, encode
from consortium.ledger.audit import COLUMNS, audit_ledger

HEADER = ("version", "chain", "kind", "epoch", "sequence", "height", "previous", "time_us", "batch_digest",
          "transaction_root", "receipt_root", "state_root")  # fmt: skip


@pytest.fixture(scope="module")
def good(tmp_path_factory):
    maker = made_ledger()
    return maker, stored(maker.finished(), tmp_path_factory.mktemp("good"))


class Lie:
    """A copy of the tables that can be changed row by row."""

    def __init__(self, maker, tables):
        self.maker = maker
        self.tables = {
            table: [dict(zip(COLUMNS[table], row, strict=True)) for row in rows]
            for table, rows in tables.items()
        }

    def row(self, table, **where):
        (found,) = (row for row in self.tables[table] if where.items() <= row.items())
        return found

    def header(self, height, **changes):
        """Change a header, its hash and its columns alike."""
        row = self.row("blocks", height=height)
        fields = dict(zip(HEADER, decode(row["header"]), strict=True)) | changes
        row["header"] = encode(tuple(fields[name] for name in HEADER))
        row["hash"] = hash_bytes(row["header"])
        row |= {name: fields[name] for name in fields.keys() & row.keys()}

    def audit(self):
        return audit_ledger(self, SCHEME)

    def rows(self, table):
        return iter([tuple(row.values()) for row in self.tables[table]])

    def not_covered(self):
        return ()


def another_parent(lie):
    lie.header(3, previous=bytes(32))
    return 3, "the previous hash is not the hash of the block before"


def another_order_of_sequences(lie):
    lie.header(4, sequence=lie.row("blocks", height=3)["sequence"])
    return 4, "does not follow"


def a_header_of_another_chain(lie):
    lie.header(2, chain=b"otherone")
    return 2, "the header is of chain"


def a_header_of_another_epoch(lie):
    lie.header(2, epoch=1)
    return 2, "the header is of epoch 1"


def something_else_than_a_header(lie):
    lie.header(2, kind="HEADEX")
    return 2, "not a header of this protocol version"


def a_header_of_another_version(lie):
    lie.header(2, version=2)
    return 2, "not a header of this protocol version"


def another_beginning(lie):
    lie.header(0, time_us=1)
    return 0, "not that of a beginning"


def another_business_time(lie):
    lie.header(2, time_us=lie.row("blocks", height=2)["time_us"] + 1)
    return 2, "not the later of the parent's and the batch's"


def another_batch_digest(lie):
    lie.header(2, batch_digest=bytes(32))
    return 2, "the batch digest is not that of the stored bundles"


def another_batch_time(lie):
    lie.row("blocks", height=4)["batch_time_us"] -= 1
    return 4, "the batch digest is not that of the stored bundles"


def a_batch_in_block_0(lie):
    lie.row("blocks", height=0)["batch_time_us"] = 1
    return 0, "block 0 has no batch"


def another_receipt_root(lie):
    lie.header(2, receipt_root=bytes(32))
    return 2, "the receipt root"


def another_transaction_root(lie):
    lie.header(2, transaction_root=bytes(32))
    return 2, "the transaction root"


def another_state_root(lie):
    lie.header(11, state_root=bytes(32))
    return 11, "the root of the stored entries is not the last state root"


def receipts_in_another_order(lie):
    one, other = lie.row("receipts", height=1, position=0), lie.row("receipts", height=1, position=1)
    one["position"], other["position"] = 1, 0
    lie.tables["receipts"][:2] = other, one
    return 1, "is not that of transaction"


def one_receipt_more(lie):
    last = lie.row("receipts", height=1, position=1)
    lie.tables["receipts"].insert(2, last | {"position": 2})
    return 1, "3 receipts are stored, 2 have a subject"


def due_work_after_a_transaction(lie):
    due = lie.row("receipts", height=10, position=0)
    lie.tables["receipts"].insert(2, due | {"height": 1, "position": 2})
    return 1, "a receipt of due work stands after one of a transaction"


def rows_of_a_block_that_is_not_there(lie):
    lie.tables["bundles"].append(lie.tables["bundles"][-1] | {"height": 99})
    return 12, "a row of block 99, which is not stored"


def edited_transaction(lie, **changes):
    """Change a transaction's body and id alike; its signature cannot follow."""
    row = lie.row("transactions", height=1, bundle=0, position=0)
    body = list(decode(row["body"]))
    for place, value in changes.items():
        body[int(place[1:])] = value
    row["body"] = encode(tuple(body))
    row["id"] = hash_bytes(row["body"])


def a_key_that_nobody_has(lie):
    edited_transaction(lie, _4=2)
    return 1, "names an unknown key of 'Steel'"


def a_transaction_of_another_chain(lie):
    edited_transaction(lie, _1=b"otherone")
    return 1, "is of another chain"


def something_else_than_a_transaction(lie):
    edited_transaction(lie, _2="TY")
    return 1, "not a transaction of this protocol version"


def a_session_that_cannot_be(lie):
    edited_transaction(lie, _5=16)
    return 1, "a session, number or floor that cannot be"


def other_arguments(lie):
    edited_transaction(lie, _9=("a", 1_000_000))
    return 1, "the signature does not verify"


def a_bundle_that_lists_others(lie):
    edited_transaction(lie, _9=("a", 1_000_000))
    return 1, "does not list exactly its stored transactions"


def edited_bundle(lie, **changes):
    row = lie.row("bundles", height=1, bundle=0)
    body = list(decode(row["body"]))
    for place, value in changes.items():
        body[int(place[1:])] = value
    row["body"] = encode(tuple(body))
    row["digest"] = hash_bytes(row["body"])
    row["bank"], row["epoch"] = body[4], body[2]


def a_bundle_of_another_chain(lie):
    edited_bundle(lie, _1=b"otherone")
    return 1, "bundle 0 is of another chain or epoch"


def a_bundle_of_another_bank(lie):
    edited_bundle(lie, _4=2)
    return 1, "bundle 0: the signature does not verify"


def a_bundle_of_nobody(lie):
    edited_bundle(lie, _4=4)
    return 1, "a bank that is no validator"


def something_else_than_a_bundle(lie):
    edited_bundle(lie, _3="REQUESX")
    return 1, "not a bundle of this protocol version"


def edited_certificate(lie, certificate, sequence):
    value = certificate.as_value()
    row = lie.row("certificates", sequence=sequence, kind=certificate.kind)
    row |= {"body": encode(value), "signers": value[3], "digest": certificate.fields[2]}


def a_commit_certificate_for_another_batch(lie):
    edited_certificate(lie, lie.maker.certificate("COMMIT", (0, 2, bytes(32)), (0, 1, 2)), 2)
    return 2, "the commit certificate is for another batch"


def a_checkpoint_of_another_chain(lie):
    edited_certificate(
        lie, lie.maker.certificate("CHECKPOINT", (12, 11, bytes(32), bytes(32)), (0, 1, 2)), 12
    )
    return 11, "not for a block of this chain"


def a_bitmap_in_another_form(lie):
    row = lie.row("certificates", sequence=2, kind="COMMIT")
    epoch, kind, fields, bitmap, signatures = decode(row["body"])
    row["signers"] = b"\x00" + bitmap
    row["body"] = encode((epoch, kind, fields, row["signers"], signatures))
    return 2, "not in its shortest form"


def one_sequence_number_more(lie):
    lie.tables["genesis"][0]["sequence"] += 1
    return 11, "the commit certificates end at sequence 12, not 13"


def an_entry_that_nobody_wrote(lie):
    lie.tables["state_current"].append({"key": b"\x04extra", "value": b""})
    return 11, "in no block"


def an_entry_with_another_value(lie):
    row = next(row for row in lie.tables["state_current"] if row["key"] == b"\x02Steel\x00\x03")
    row["value"] = encode((7, b""))
    return 2, "another value"


def an_entry_that_was_left_out(lie):
    lie.tables["state_current"] = [
        row for row in lie.tables["state_current"] if row["key"] != b"\x02Steel\x00\x03"
    ]
    return 2, "missing"


def a_node_of_another_state(lie):
    body = b"L\x01ab"
    lie.tables["state_nodes"].append({"digest": hash_bytes(body), "body": body})
    return 11, "belongs to no part of the state"


def another_contract(lie):
    row = lie.tables["contracts"][0]
    row["source"] += b"\n"
    row["source_hash"] = hash_bytes(row["source"])
    return 0, "not the one that the genesis names"


LIES = [
    lie for name, lie in sorted(globals().items())
    if callable(lie) and lie.__module__ == __name__ and name[0] in "abdorst" and "_" in name
]  # fmt: skip


@pytest.mark.parametrize("lie", LIES, ids=lambda lie: lie.__name__)
def test_a_lie_is_found_where_it_is(good, lie):
    told = Lie(*good)
    height, problem = lie(told)
    report = told.audit()
    assert report.verdict == "false"
    assert [str(f) for f in report.findings if f.height == height and problem in f.problem], report.findings


def test_the_truth_is_accepted(good):
    assert Lie(*good).audit().findings == ()
