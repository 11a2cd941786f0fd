"""From bytes to nodes: what is typed, what stays text, where things stand, and what is refused."""

import sys

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from consortium.scenario.extends import with_bases
from consortium.scenario.flat import digest_of, flat_text
from consortium.scenario.nodes import Entry, Mapping, Refused, Scalar, Sequence, Span, plain
from consortium.scenario.problems import Problems
from consortium.scenario.source import DEPTH_MAX, SOURCE_BYTES_MAX, parse, parse_node, read_source, source_of


def values_of(text):
    problems = Problems()
    node = parse_node(source_of(text.encode(), "x.yaml"), problems)
    assert not problems.found
    return plain(node)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("NO", "NO"),
        ("no", "no"),
        ("yes", "yes"),
        ("On", "On"),
        ("True", "True"),
        ("true", True),
        ("false", False),
        ("null", None),
        ("~", "~"),
        ("Null", "Null"),
        ("010", "010"),
        ("0o17", "0o17"),
        ("0x10", "0x10"),
        ("0", 0),
        ("-0", 0),
        ("-5", -5),
        ("+5", "+5"),
        ("1_000_000", 1_000_000),
        ("1_00", "1_00"),
        ("12:30", "12:30"),
        ("190:20:30", "190:20:30"),
        ("1e5", "1e5"),
        ("1.5", "1.5"),
        (".inf", ".inf"),
        ("2026-03-02", "2026-03-02"),
        ("2026-03-02T09:00", "2026-03-02T09:00"),
        ("=", "="),
        ("'5'", "5"),
        ('"true"', "true"),
        ("999999999999999999", 999999999999999999),
        ("1000000000000000000", "1000000000000000000"),
        ("一二三", "一二三"),
    ],
)
def test_only_truth_null_and_plain_whole_numbers_are_typed(text, value):
    result = values_of(f"key: {text}\n")["key"]
    assert (type(result), result) == (type(value), value)


def test_keys_are_always_text():
    assert values_of("NO: 1\n010: 2\ntrue: 3\n5: 4\n") == {"NO": 1, "010": 2, "true": 3, "5": 4}


def test_nothing_after_a_colon_is_null_and_stands_at_its_key():
    root = parse(source_of(b"a: 1\nkey:\n", "x.yaml"), Problems())
    assert root.entries["key"].value.value is None
    assert root.entries["key"].value.span.line == 2


def test_places_count_from_one_in_characters():
    root = parse(source_of('标题: "文"\nb: {c: [1, 深]}\n'.encode(), "x.yaml"), Problems())
    assert (root.entries["标题"].value.span.line, root.entries["标题"].value.span.column) == (1, 5)
    inner = root.entries["b"].value.entries["c"].value.items[1].span
    assert (inner.line, inner.column, inner.length) == (2, 12, 1)


def test_line_ends_of_all_systems_count_alike():
    for end in ("\n", "\r\n", "\r"):
        root = parse(source_of(f"a: 1{end}b: 2{end}".encode(), "x.yaml"), Problems())
        assert root.entries["b"].key.line == 2


def test_a_byte_order_mark_is_no_text():
    assert list(parse(source_of(b"\xef\xbb\xbfa: 1\n", "x.yaml"), Problems()).entries) == ["a"]


@pytest.mark.parametrize(
    ("data", "code", "line"),
    [
        (b"", "S-005", 0),
        (b"   \n# x\n", "S-005", 0),
        (b"---\n", "S-005", 0),
        (b"a: \x00", "S-006", 0),
        (b"a: 1\nb: \xff", "S-007", 2),
        (b"a: 1\nb: \x1b[31m", "S-008", 2),
        ("a: \u202eabc".encode(), "S-008", 1),
        (b"a:\n\tb: 1", "S-009", 2),
        (b"a: [1", "S-010", 1),
        (b"a: 1\n---\nb: 2\n", "S-014", 3),
        (b"- 1\n", "S-017", 1),
        (b"text", "S-017", 1),
    ],
)
def test_what_is_no_scenario_source_is_refused(data, code, line):
    with pytest.raises(Refused) as caught:
        parse(source_of(data, "x.yaml"), Problems())
    (problem,) = caught.value.problems
    assert (problem.code, problem.line) == (code, line)


@pytest.mark.parametrize("pair", ["[]", "{}"])
@pytest.mark.parametrize("depth", [DEPTH_MAX, 5_000, 200_000])
def test_deep_nesting_is_refused_before_it_hurts(pair, depth):
    opening = pair[0] if pair == "[]" else "{a: "
    text = "a: " + opening * depth + pair[1] * depth
    with pytest.raises(Refused) as caught:
        parse(source_of(text.encode(), "x.yaml"), Problems())
    assert caught.value.problems[0].code == "S-015"


def test_a_bomb_of_aliases_does_not_unfold():
    lines = ["a0: &a0 [x, x]"] + [f"a{i}: &a{i} [*a{i - 1}, *a{i - 1}]" for i in range(1, 60)]
    problems = Problems()
    parse(source_of("\n".join(lines).encode(), "x.yaml"), problems)
    assert {problem.code for problem in problems.found} == {"S-012"}


def test_a_file_over_the_limit_is_not_read(tmp_path):
    path = tmp_path / "large.yaml"
    path.write_bytes(b"a: 1\n" + b"#" * SOURCE_BYTES_MAX)
    with pytest.raises(Refused) as caught:
        read_source(path, "large.yaml")
    assert caught.value.problems[0].code == "S-004"


def test_repeated_keys_keep_the_first_and_say_where():
    problems = Problems()
    root = parse(source_of(b"a: 1\nb: {c: 1, c: 2}\na: 3\n", "x.yaml"), problems)
    assert plain(root) == {"a": 1, "b": {"c": 1}}
    assert [(p.code, p.line, p.related[0].line) for p in problems.found] == [("S-011", 2, 2), ("S-011", 3, 1)]


def test_syntax_errors_read_the_same_with_either_parser(monkeypatch):
    """The C parser is not installed everywhere."""
    source = sys.modules["consortium.scenario.source"]
    texts = [
        b"a: [1\nb: 2\n",
        b'a: "x\n',
        b"a: b: c\n",
        b"a:\n\t- b\n",
        b"- a\nb: c\n",
        b"a: @x\n",
        b"a: ]\n",
    ]

    def problems_of(data):
        try:
            parse(source_of(data, "x.yaml"), Problems())
        except Refused as refused:
            return refused.problems
        return None

    expected = [problems_of(text) for text in texts]
    assert None not in expected
    monkeypatch.setattr(source, "_LOADER", source.yaml.Loader)
    assert [problems_of(text) for text in texts] == expected


PLAIN = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(-(10**17), 10**17), st.text(max_size=20)),
    lambda inner: st.one_of(
        st.lists(inner, max_size=4), st.dictionaries(st.text(max_size=8), inner, max_size=4)
    ),
    max_leaves=20,
)


@settings(max_examples=100)
@given(st.dictionaries(st.from_regex("[a-df-z][a-z]{0,5}", fullmatch=True), PLAIN, min_size=1, max_size=4))
def test_flat_text_reads_back_to_the_same_tree(data):
    root = _tree_of(data)
    text = flat_text(root)
    problems = Problems()
    again = parse(source_of(text.encode("utf-8", "surrogatepass"), "flat.yaml"), problems)
    assert not problems.found
    assert plain(again) == data
    assert digest_of(again) == digest_of(root)


def _tree_of(data):
    """Build nodes without YAML, so that writing and reading are not tested against themselves."""

    span = Span(source_of(b"", "made.yaml"), 0, 0, 0)

    def node(value):
        if isinstance(value, dict):
            return Mapping({key: Entry(span, node(each)) for key, each in value.items()}, span)
        if isinstance(value, list):
            return Sequence(tuple(map(node, value)), span)
        return Scalar(value, str(value), span)

    return node(data)


def test_bases_fill_what_the_file_leaves_out(tmp_path):
    (tmp_path / "shared").mkdir()
    (tmp_path / "shared/far.yaml").write_text("a: {x: 1, y: {z: 1}}\nb: far\nc: far\n")
    (tmp_path / "shared/near.yaml").write_text("extends: far.yaml\nb: [near]\n")
    (tmp_path / "main.yaml").write_text("extends: shared/near.yaml\na: {y: {w: 2}}\nd: main\n")
    source = read_source(tmp_path / "main.yaml", "main.yaml")
    problems = Problems()
    root, bases, complete = with_bases(source, parse(source, problems), problems)
    assert not problems.found
    assert complete
    assert [each.name for each in bases] == ["shared/near.yaml", "shared/far.yaml"]
    values = plain(root)
    del values["extends"]
    assert values == {"a": {"x": 1, "y": {"z": 1, "w": 2}}, "b": ["near"], "c": "far", "d": "main"}
    assert root.entries["c"].value.span.source.name == "shared/far.yaml"
