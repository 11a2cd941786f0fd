"""Writing and reading the database of a finished ledger."""

import random
import sqlite3
import subprocess
import sys

import pytest
from made_ledger import Maker, made_ledger

from consortium.archive.read import Archive, audit_archive
from consortium.archive.write import write_archive
from consortium.errors import EnvironmentFailedError, InputError
from consortium.ledger.audit import COLUMNS


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    place = tmp_path_factory.mktemp("archive") / "ledger.sqlite"
    write_archive(place, made_ledger().finished())
    return place


def rows_of(place):
    with Archive(place) as archive:
        return {table: list(archive.rows(table)) for table in COLUMNS}


def test_an_archive_is_audited_from_its_file(place):
    report = audit_archive(place)
    assert report.verdict == "true", report.findings
    assert [text.split(":")[0] for text in report.not_covered] == ["refusals", "notes"]


def test_the_same_ledger_is_the_same_file(place, tmp_path):
    write_archive(tmp_path / "again.sqlite", made_ledger().finished())
    assert (tmp_path / "again.sqlite").read_bytes() == place.read_bytes()


def test_an_archive_is_readable_with_plain_sql(place):
    connection = sqlite3.connect(place)
    refused = connection.execute(
        "SELECT t.sender, t.action, r.code, f.text FROM transactions t"
        " JOIN receipts r ON r.height = t.height AND r.position = t.receipt"
        " JOIN refusals f ON f.height = r.height AND f.position = r.position"
        " WHERE r.status = 'refused' ORDER BY r.height, r.position"
    ).fetchall()
    connection.close()
    assert [row[2] for row in refused] == ["E_ROLE", "E-NONCE", "E-BUNDLE", "E-EXPIRED"]
    assert all(row[3] for row in refused)


def test_a_new_archive_replaces_an_old_one_when_it_is_complete(tmp_path):
    place = tmp_path / "ledger.sqlite"
    write_archive(place, made_ledger().finished())
    maker = Maker()
    write_archive(place, maker.finished(checkpoint=None))
    assert audit_archive(place).height == 0
    broken = maker.finished(checkpoint=None, sources={})
    with pytest.raises(KeyError):
        write_archive(place, broken)
    assert audit_archive(place).height == 0


def test_a_byte_changed_anywhere_in_the_file_is_refused_or_was_not_part_of_the_ledger(place, tmp_path):
    """Also where it breaks the database itself: schema, page headers, lengths, text that is no UTF-8."""
    good, data = rows_of(place), place.read_bytes()
    changed_place = tmp_path / "changed.sqlite"
    rng = random.Random(20260302)
    refused = 0
    for _ in range(60):
        changed = bytearray(data)
        changed[rng.randrange(16, len(data))] ^= 1 << rng.randrange(8)
        changed_place.write_bytes(changed)
        report = audit_archive(changed_place)
        if report.verdict == "false":
            refused += 1
        else:
            assert rows_of(changed_place) == good
    assert refused > 10


def test_every_stored_body_is_found_in_the_file_and_its_change_refused(place, tmp_path):
    good, data = rows_of(place), place.read_bytes()
    changed_place = tmp_path / "changed.sqlite"
    rng = random.Random(5)
    for table, rows in good.items():
        row = rng.choice(rows)
        body = max((value for value in row if isinstance(value, bytes)), key=len)
        at = data.find(body[:200])
        assert at >= 0, table
        changed = bytearray(data)
        changed[at + rng.randrange(min(len(body), 200))] ^= 0x20
        changed_place.write_bytes(changed)
        assert audit_archive(changed_place).verdict == "false", table


def test_a_missing_table_is_a_finding(place, tmp_path):
    copy = tmp_path / "copy.sqlite"
    copy.write_bytes(place.read_bytes())
    connection = sqlite3.connect(copy)
    connection.execute("DROP TABLE receipts")
    connection.execute("CREATE TABLE extra (x)")
    connection.commit()
    connection.close()
    report = audit_archive(copy)
    assert str(report.findings[0]) == "block 0: receipts: the table is missing"
    assert "extra: not a table of a ledger" in report.not_covered


def test_what_is_no_ledger_is_said_plainly(tmp_path):
    empty, binary, other = tmp_path / "empty", tmp_path / "binary", tmp_path / "other.sqlite"
    empty.write_bytes(b"")
    binary.write_bytes(bytes(range(256)) * 8)
    connection = sqlite3.connect(other)
    connection.execute("CREATE TABLE x (y)")
    connection.close()
    for place, words in (
        (tmp_path / "none", "there is no such ledger"),
        (tmp_path, "is a directory"),
        (empty, "is not an SQLite database"),
        (binary, "is not an SQLite database"),
        (other, "no ledger in this database"),
    ):
        with pytest.raises(InputError, match=words):
            audit_archive(place)


def test_an_audit_writes_nothing(place):
    before = place.read_bytes(), sorted(place.parent.iterdir())
    audit_archive(place)
    assert (place.read_bytes(), sorted(place.parent.iterdir())) == before


def test_a_folder_that_cannot_be_written_is_the_environments_fault(tmp_path):
    with pytest.raises(EnvironmentFailedError, match="missing"):
        write_archive(tmp_path / "missing" / "ledger.sqlite", Maker().finished())


def test_a_database_behind_a_url_is_written_once(tmp_path):
    url = f"sqlite:///{tmp_path / 'by-url.sqlite'}"
    write_archive(url, Maker().finished())
    assert audit_archive(url).height == 0
    with pytest.raises(EnvironmentFailedError, match="already holds a ledger"):
        write_archive(url, Maker().finished())


def test_an_unknown_database_is_the_environments_fault():
    with pytest.raises(EnvironmentFailedError, match=r"nobase://host/x"):
        audit_archive("nobase://user:secret@host/x")


def test_the_database_library_is_loaded_only_when_it_is_used():
    code = "import sys, consortium.archive.read, consortium.archive.write; print('sqlalchemy' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "False\n"
