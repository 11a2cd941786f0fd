"""The auditor's own trees against those of the ledger: two ways to the same digests."""

import ast
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st
from state_strategies import contents, keys, values

from consortium.ledger import state
from consortium.ledger.audit.tree import StateTree, list_root
from consortium.merkle import merkle_root

AUDIT = Path(state.__file__).parent / "audit"
SHARED = (
    "consortium.calendar",
    "consortium.crypto",
    "consortium.encoding",
    "consortium.errors",
    "consortium.ledger.audit",
    "consortium.membership",
    "consortium.vm.",
)


@settings(max_examples=60)
@given(contents, st.lists(st.dictionaries(keys, st.none() | values, max_size=6), max_size=8))
def test_both_trees_have_the_same_root_after_every_change(entries, history):
    root, tree = state.update(None, entries), StateTree()
    tree.change(entries)
    for changes in [{}, *history]:
        root = state.update(root, changes)
        tree.change(changes)
        assert tree.root() == state.root_digest(root)
        assert tree.nodes() == dict(state.nodes(root))
        assert tree.values == dict(state.items(root))


@given(contents, keys, keys | st.none())
def test_both_trees_are_read_alike(entries, prefix, start):
    root, tree = state.update(None, entries), StateTree()
    tree.change(entries)
    assert list(tree.items(prefix, start)) == list(state.items(root, prefix, start))
    assert tree.get(prefix) == state.get(root, prefix)


@given(st.lists(st.binary(max_size=5), max_size=40))
def test_both_list_roots_are_equal(leaves):
    assert list_root(leaves) == merkle_root(leaves)


def test_the_auditor_shares_only_values_and_the_contract_engine():
    """Whatever the auditor had in common with the apply path could be wrong in both and never be seen."""
    for path in sorted(AUDIT.glob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            modules = [node.module] if isinstance(node, ast.ImportFrom) else []
            modules += [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            for module in modules:
                assert not module.startswith("consortium") or module.startswith(SHARED), (
                    f"{path.name}: {module}"
                )
