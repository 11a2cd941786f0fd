import io
import json

import pytest
from events import SIGNERS, Chain, effects, stable, transaction, vote

from consortium.consensus.messages import Prepare, seal
from consortium.crypto import MacScheme, NullScheme
from consortium.errors import InputError
from consortium.journal.journal import Journal, Level
from consortium.journal.reading import JournalReader
from consortium.journal.replay import Comparison, Difference, compare
from consortium.node.effects import (
    ALL,
    Boot,
    BusinessTime,
    Durable,
    Effects,
    Finish,
    Received,
    Rejected,
    Reply,
    Send,
    Submit,
    Suspected,
    Timer,
    TimerFired,
    Work,
)

SCENARIO = bytes(range(32))


def tell(journal, *, deliveries=3, seq=1, scheme=None):
    """A little of everything."""
    payment = transaction(1)
    event = Chain().block(payment)
    journal.given(0, 0, Boot())
    journal.given(0, 1, Boot((b"record",)))
    journal.given(5, 1, BusinessTime(77))
    journal.given(6, 1, Submit(payment, (True,), (transaction(2),)))
    journal.given(7, 1, TimerFired('na"me', 3))
    journal.given(8, 1, Durable(2))
    journal.given(9, 2, Received(vote(3), (True,)))
    journal.fault(10, "crash", (3,))
    if scheme is None:
        signed = vote(1, sequence=seq)
    else:
        signed = seal(Prepare(0, 0, seq, bytes(32), 1), b"testtest", scheme.signer(bytes(32)))
    texts = journal.effects(
        11,
        1,
        Effects(
            persist=(b"a", b"b"),
            token=4,
            notify=True,
            send=(Send(ALL, signed, 4), Send(2, signed)),
            timers=(Timer("a", 1, 500), Timer("b", 2, None)),
            replies=(
                Reply(payment.id, "applied", height=1, receipt=b"r"),
                Reply(b"x", "busy", retry_after_us=9),
            ),
            work=Work(signs=1),
            trace=(event, stable(event), Rejected("signature", 2), Suspected(0, "request")),
        ),
    )
    for number in range(deliveries):
        journal.delivered(20 + number, 2, texts[number % 2])
    journal.given(99, 1, Finish())


def written(level=Level.FULL, *, seed=7, close="finished", limit=1_000_000, **story):
    out = io.StringIO()
    journal = Journal(
        None if level is Level.OFF else out.write,
        seed=seed,
        scenario=SCENARIO,
        level=level,
        full_deliveries_max=limit,
    )
    tell(journal, **story)
    digest = journal.close(close) if close else journal.run_digest()
    return out.getvalue(), digest


def lines_of(text):
    return io.StringIO(text, newline="")


def read(text):
    reader = JournalReader(lines_of(text))
    return reader, list(reader)


# --- the digest -----------------------------------------------------------------------------------------------


def test_the_run_digest_is_the_same_at_every_level():
    digests = {written(level)[1] for level in Level}
    assert len(digests) == 1


def test_the_run_digest_skips_signatures():
    digests = {written(scheme=scheme)[1] for scheme in (NullScheme(), MacScheme())}
    assert len(digests) == 1
    assert written(scheme=NullScheme())[0] != written(scheme=MacScheme())[0]


@pytest.mark.parametrize("change", [{"seed": 8}, {"deliveries": 4}, {"seq": 2}])
def test_the_run_digest_covers_what_happened(change):
    assert written(**change)[1] != written()[1]


def test_the_same_run_writes_the_same_bytes():
    assert written() == written()


def test_a_switch_to_headers_on_the_way_leaves_the_digest():
    def story(limit):
        out = io.StringIO()
        journal = Journal(out.write, seed=7, scenario=SCENARIO, full_deliveries_max=limit)
        tell(journal, deliveries=2)
        tell(journal)
        digest = journal.close("finished")
        return digest, out.getvalue()

    digest, switched = story(2)
    whole_digest, whole = story(1_000)
    assert '{"level":"headers"}' in switched
    assert '"full":{' not in switched[switched.index('{"level":"headers"}') :]
    assert whole.count('"full":{') == 2 * switched.count('"full":{')
    assert digest == whole_digest
    assert read(switched)[0].is_sound


# --- reading ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("level", [Level.HEADERS, Level.FULL])
def test_what_was_written_is_read_back_and_its_digest_found_again(level):
    text, digest = written(level)
    reader, lines = read(text)
    assert (reader.first.seed, reader.first.scenario, reader.first.level) == (7, SCENARIO, level.value)
    assert reader.is_sound
    assert reader.end.run_digest == digest == reader.run_digest()
    assert reader.end.stopped == "finished"
    assert len(lines) == reader.records == reader.end.records == 13
    assert [line.number for line in lines] == list(range(2, 15))


def test_headers_say_what_happened():
    _, lines = read(written(Level.HEADERS)[0])
    heads = [line.head for line in lines]
    assert heads[2] == {"us": 5, "bank": 1, "in": "business_time", "time_us": 77}
    assert heads[4] == {"us": 7, "bank": 1, "in": "timer", "name": 'na"me', "generation": 3}
    assert heads[7] == {"us": 10, "fault": "crash", "banks": [3]}
    out = heads[8]["out"]
    assert (out["persist"], out["token"], out["notify"]) == (2, 4, True)
    assert [(send["kind"], send["to"], send["after"], send["m"]) for send in out["send"]] == [
        ("PREPARE", -1, 4, 1),
        ("PREPARE", 2, 0, 2),
    ]
    assert out["timers"] == [["a", 1, 500], ["b", 2, None]]
    assert [reply["status"] for reply in out["replies"]] == ["applied", "busy"]
    assert [next(iter(event)) for event in out["trace"]] == ["executed", "stable", "rejected", "suspected"]
    assert heads[9] == {
        "us": 20, "bank": 2, "in": "PREPARE", "from": 1, "view": 0, "sequence": 1, "digest": "00" * 8, "m": 1
    }  # fmt: skip
    assert all(line.full == {} for line in lines)


def test_the_full_part_holds_the_bytes_and_the_signatures_apart():
    _, lines = read(written()[0])
    submit, foreign, out = lines[3].full, lines[6].full, lines[8].full
    payment = transaction(1)
    assert submit["transactions"][0] == {
        "body": payment.body.hex(),
        "signatures": [payment.signatures[0].hex()],
    }
    assert foreign["body"] == vote(3).body.hex()
    assert foreign["verdicts"] == [True]
    assert [message["m"] for message in out["messages"]] == [1, 2]
    assert out["messages"][0]["signature"] == vote(1).signature.hex()
    assert out["receipts"] == [b"r".hex()]
    signature = SIGNERS[1].sign(vote(1).body).hex()
    assert all(signature not in json.dumps(line.head) for line in lines)


def test_a_journal_without_its_end_is_partial_but_readable():
    text, digest = written(close=None)
    reader, lines = read(text)
    assert reader.end is None
    assert not reader.is_sound
    assert len(lines) == 13
    assert reader.run_digest() == digest


def test_a_torn_last_line_is_left_out():
    text, _ = written()
    body = text[: text.rindex('{"end"')]
    reader, lines = read(body[:-20])
    assert reader.end is None
    assert len(lines) == 12


def test_a_changed_header_is_no_longer_sound():
    text, _ = written()
    assert not read(text.replace('"time_us":77', '"time_us":78'))[0].is_sound


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "line 1"),
        ("hello\n", "line 1: not JSON"),
        ("[]\n", "line 1: not an object"),
        ('{"journal":99,"seed":1,"scenario":"","level":"full"}\n', "version 99"),
        ('{"journal":1,"seed":1,"scenario":"zz","level":"full"}\n', "not hexadecimal"),
        ('{"journal":1,"seed":1,"scenario":"","level":"full"}\nx\n', "line 2: not JSON"),
        ('{"journal":1,"seed":1,"scenario":"","level":"full"}\n{"full":3}\n', "line 2: the full part"),
        ('{"journal":1,"seed":1,"scenario":"","level":"full"}\n{"end":3}\n', "line 2: not the end"),
        (written()[0] + "{}\n", "nothing may follow"),
    ],
)
def test_what_is_no_journal_is_refused_with_its_line(text, message):
    with pytest.raises(InputError, match=message):
        read(text)


def test_memory_is_bounded_lines_go_out_in_blocks():
    blocks = []
    journal = Journal(blocks.append, seed=1, scenario=SCENARIO)
    text = journal.effects(1, 0, Effects(send=(Send(ALL, vote(1)),)))[0]
    for now_us in range(5_000):
        journal.delivered(now_us, 1, text)
        assert len(journal._lines) <= 512
        assert len(journal._heads) <= 1024
    assert len(blocks) >= 9
    off = Journal(None, seed=1, scenario=SCENARIO, level=Level.OFF)
    for now_us in range(5_000):
        off.delivered(now_us, 1, text)
        assert len(off._heads) <= 512


# --- comparing ----------------------------------------------------------------------------------------------------


def test_equal_journals_have_no_difference():
    text, _ = written()
    assert compare(lines_of(text), lines_of(text)) is None


def test_the_first_difference_is_reported_with_both_sides():
    recorded, _ = written()
    repeated = recorded.replace('"time_us":77', '"time_us":78').replace('"token":2', '"token":3')
    difference = compare(lines_of(recorded), lines_of(repeated))
    assert difference.line == 4
    assert '"time_us":77' in difference.recorded
    assert '"time_us":78' in difference.repeated
    assert "first difference at line 4" in str(difference)


@pytest.mark.parametrize("cut", [1, 5])
def test_a_journal_that_ends_early_differs_there(cut):
    recorded, _ = written()
    lines = recorded.splitlines(keepends=True)
    shorter = "".join(lines[:-cut])
    assert compare(lines_of(recorded), lines_of(shorter)) == Difference(
        len(lines) - cut + 1, lines[-cut], None
    )
    assert compare(lines_of(shorter), lines_of(recorded)) == Difference(
        len(lines) - cut + 1, None, lines[-cut]
    )
    assert "(ended)" in str(compare(lines_of(shorter), lines_of(recorded)))


def test_full_parts_may_be_left_out_of_the_comparison():
    one, two = written(scheme=NullScheme())[0], written(scheme=MacScheme())[0]
    assert compare(lines_of(one), lines_of(two)) is not None
    assert compare(lines_of(one), lines_of(two), headers_only=True) is None


def test_a_run_is_compared_while_it_is_repeated():
    recorded, _ = written()
    comparison = Comparison(lines_of(recorded))
    journal = Journal(comparison.write, seed=7, scenario=SCENARIO)
    tell(journal)
    journal.close("finished")
    assert comparison.close() is None
    assert comparison.lines == recorded.count("\n")
    other = Comparison(lines_of(recorded))
    journal = Journal(other.write, seed=7, scenario=SCENARIO)
    tell(journal, seq=9)
    journal.close("finished")
    assert other.close().line == 10


def test_long_lines_are_shortened_in_a_report():
    difference = Difference(3, '{"a":"' + "x" * 5_000 + '"}\n', None)
    assert len(str(difference)) < 600


def test_a_quoted_mark_inside_a_header_is_not_taken_for_the_full_part():
    out = io.StringIO()
    journal = Journal(out.write, seed=1, scenario=SCENARIO)
    journal.given(1, 0, TimerFired('x","full":{"y":1', 1))
    journal.effects(2, 0, effects(Rejected('","full":', "bank")))
    digest = journal.close("finished")
    reader, lines = read(out.getvalue())
    assert reader.is_sound
    assert reader.run_digest() == digest
    assert lines[0].head["name"] == 'x","full":{"y":1'
