"""The state map under a random walk of updates, reads, comparisons and proofs, next to a dictionary."""

import hypothesis.strategies as st
from hypothesis import settings
from hypothesis.stateful import Bundle, RuleBasedStateMachine, consumes, invariant, rule
from state_strategies import keys, naive_root, values

from consortium.ledger.proof import prove, verify
from consortium.ledger.state import diff, from_nodes, get, items, nodes, root_digest, update


class StateMachine(RuleBasedStateMachine):
    known_keys = Bundle("known_keys")

    def __init__(self):
        super().__init__()
        self.root = None
        self.entries = {}
        self.history = [(None, {})]
        self.store = {}

    def _changed_to(self, root):
        self.store.update(nodes(root, self.root))
        self.root = root
        self.history.append((root, dict(self.entries)))

    @rule(target=known_keys, key=keys, value=values)
    def put(self, key, value):
        self.entries[key] = value
        self._changed_to(update(self.root, {key: value}))
        return key

    @rule(key=known_keys, value=values)
    def put_again(self, key, value):
        self.entries[key] = value
        self._changed_to(update(self.root, {key: value}))

    @rule(key=consumes(known_keys))
    def delete(self, key):
        self.entries.pop(key, None)
        self._changed_to(update(self.root, {key: None}))

    @rule(changes=st.dictionaries(keys, st.none() | values, max_size=10))
    def put_block(self, changes):
        for key, value in changes.items():
            if value is None:
                self.entries.pop(key, None)
            else:
                self.entries[key] = value
        self._changed_to(update(self.root, changes))

    @rule(key=known_keys | keys)
    def read_and_prove(self, key):
        value = self.entries.get(key)
        assert get(self.root, key) == value
        proof = prove(self.root, key)
        digest = root_digest(self.root)
        assert verify(digest, key, value, proof)
        assert not verify(digest, key, b"another" if value is None else value + b"!", proof)
        if value is not None:
            assert not verify(digest, key, None, proof)

    @rule(back=st.integers(0, 20))
    def compare_with_the_past(self, back):
        old_root, old = self.history[max(0, len(self.history) - 1 - back)]
        assert dict(items(old_root)) == old
        assert {key: new for key, _, new in diff(old_root, self.root)} == {
            key: self.entries.get(key)
            for key in old.keys() | self.entries.keys()
            if old.get(key) != self.entries.get(key)
        }

    @rule(back=st.integers(0, 20))
    def read_back_from_the_store(self, back):
        old_root, old = self.history[max(0, len(self.history) - 1 - back)]
        assert dict(items(from_nodes(root_digest(old_root), self.store.get))) == old

    @invariant()
    def same_as_rebuilt(self):
        assert root_digest(self.root) == naive_root(self.entries)


StateMachine.TestCase.settings = settings(max_examples=25, stateful_step_count=25, deadline=None)
TestStateMachine = StateMachine.TestCase
