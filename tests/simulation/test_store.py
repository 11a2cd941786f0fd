from hypothesis import given, settings
from hypothesis import strategies as st

from consortium.simulation.store import MemoryStore


def written(store, now_us, *records):
    store.append(records)
    return store.flush(now_us)


def test_a_record_is_durable_when_its_flush_has_ended():
    store = MemoryStore(flush_us=300)
    assert written(store, 1_000, b"a") == 1_300
    assert store.records(1_299) == ()
    assert store.records(1_300) == (b"a",)


def test_a_flush_that_starts_serves_all_that_wait():
    store = MemoryStore(flush_us=300)
    assert written(store, 1_000, b"a") == 1_300
    assert written(store, 1_100, b"b") == 1_600
    assert written(store, 1_200, b"c") == 1_600
    assert written(store, 1_299, b"d") == 1_600
    assert written(store, 1_400, b"e") == 1_900


def test_what_is_appended_without_a_flush_is_lost_at_a_crash():
    store = MemoryStore()
    written(store, 10, b"a")
    store.append([b"b"])
    store.crash(20)
    written(store, 30, b"c")
    assert store.records(40) == (b"a", b"c")


def test_what_is_not_durable_at_a_crash_is_lost_blocks_and_nodes_included():
    store = MemoryStore(flush_us=300)
    store.put_block(1, b"block 1")
    store.put_node(b"digest 1", b"node 1")
    written(store, 1_000, b"a")
    store.put_block(2, b"block 2")
    store.put_node(b"digest 2", b"node 2")
    written(store, 1_400, b"b")
    store.crash(1_500)
    assert store.records(9_999) == (b"a",)
    assert (store.block(1, 9_999), store.block(2, 9_999)) == (b"block 1", None)
    assert (store.node(b"digest 1", 9_999), store.node(b"digest 2", 9_999)) == (b"node 1", None)


def test_the_disk_is_idle_after_a_crash():
    store = MemoryStore(flush_us=300)
    written(store, 1_000, b"a")
    store.crash(1_100)
    assert written(store, 1_100, b"b") == 1_400


def test_a_stuck_disk_never_flushes():
    store = MemoryStore(flush_us=None)
    assert written(store, 10, b"a") is None
    assert store.records(10**12) == ()


def test_a_disk_without_latency_is_durable_at_once():
    store = MemoryStore()
    assert written(store, 10, b"a") == 10
    assert store.records(10) == (b"a",)


def test_records_may_be_encoded_when_they_are_read():
    class Lazy:
        def encoded(self):
            return b"lazy"

    store = MemoryStore()
    written(store, 10, b"a", Lazy())
    assert store.records(10) == (b"a", b"lazy")


@given(st.lists(st.integers(0, 400), min_size=1, max_size=40), st.integers(1, 500), st.integers(0, 9_000))
@settings(max_examples=100, deadline=None)
def test_a_crash_keeps_exactly_a_prefix_of_what_was_written(gaps, flush_us, crash_us):
    store = MemoryStore(flush_us)
    now_us, promised = 0, []
    for number, gap in enumerate(gaps):
        now_us += gap
        if now_us > crash_us:
            break
        promised.append((written(store, now_us, b"%d" % number), b"%d" % number))
    store.crash(crash_us)
    assert store.records(10**9) == tuple(record for durable_us, record in promised if durable_us <= crash_us)
    times = [durable_us for durable_us, _ in promised]
    assert times == sorted(times)
