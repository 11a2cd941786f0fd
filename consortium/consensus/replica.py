"""One replica of PBFT (Castro & Liskov, OSDI'99 and TOCS'02), and the only owner of its protocol state.

No clock, I/O, threads or randomness: the node gives it authentic messages (the node has checked signatures
and batches) and carries out the `Output` that each step returns. Batches are opaque digests in here. Other
modules compute; every decision to change protocol state is made in this file.

Reading order: what the node calls (`propose`, `step`, `executed`, `checkpoint_now`, `status_message`,
`status`), then a handler for each kind of message, the view change, how a slot advances, checkpoints,
refusals.

The view only goes up. `_view` is the one that is wanted, `_voting_view` the one that is entered; they differ
while a view change is under way, and then nothing is ordered here, but CHECKPOINT, VIEW-CHANGE, NEW-VIEW,
STATUS and DECIDED are taken as ever. What a view change proves is computed in `view_change`.
"""

from collections import Counter
from collections.abc import Callable
from typing import Any

from consortium.certificate import Certificate
from consortium.consensus.catch_up import BatchPort, Periods, SignPort, answer, open_slots
from consortium.consensus.checkpoint import CheckpointLog
from consortium.consensus.log import Log, Slot
from consortium.consensus.messages import (
    CHECKPOINT,
    COMMIT,
    DECIDED,
    NEW_VIEW,
    PRE_PREPARE,
    PREPARE,
    STABLE,
    STATUS,
    VIEW_CHANGE,
    Checkpoint,
    Commit,
    Decided,
    NewView,
    Prepare,
    PrePrepare,
    Signed,
    StableCheckpoint,
    Status,
    ViewChange,
)
from consortium.consensus.output import (
    AWAITED,
    ENTERED,
    NOTHING,
    STARTED,
    Committed,
    Divergence,
    Evidence,
    Output,
    Prepared,
    Record,
    ViewStep,
    Wanted,
    together,
)
from consortium.consensus.quorum import ConsensusConfig, is_quorum
from consortium.consensus.restore import RESTORED, Remembered
from consortium.consensus.status import Mode, ReplicaStatus, slot_status
from consortium.consensus.transitions import (
    ACCEPT,
    PREPARE_QUORUM,
    Phase,
    Refusal,
    due,
    on_certificate,
    pre_prepare_refusal,
    vote_refusal,
)
from consortium.consensus.view_change import (
    VIEWS_AHEAD,
    Choice,
    EarlyVotes,
    Patience,
    ViewChangeLog,
    choose,
    pre_prepares_of,
    problem_with_new_view,
    problem_with_view_change,
    proofs_of,
)

__all__ = ["NOTHING", "Committed", "Output", "Replica"]


class Replica:
    """The protocol state of one replica in one epoch.

    `sign` is the node's only way to sign, guarded against equivocation; `batch_of` gives what was executed.
    """

    def __init__(self, config: ConsensusConfig, sign: SignPort, batch_of: BatchPort) -> None:
        self.config = config.validate()
        self._sign = sign
        self._batch_of = batch_of
        self._epoch = config.epoch
        self._index = config.index
        self._quorum = config.quorum
        self._null_digest = config.null_digest
        self._view = 0
        self._primary = config.primary(0)
        self._voting_view = 0
        self._new_view: Signed | None = None
        self._own_change: Signed | None = None
        self._reproposed: dict[int, bytes] = {}
        self._is_awaited = False
        self._changes = ViewChangeLog()
        self._early = EarlyVotes(config.window)
        self._patience = Patience()
        self._log = Log(config.n, config.quorum, config.window)
        self._checkpoints = CheckpointLog()
        self._periods = Periods()
        # Four marks: executed <= handed over; next proposal; and the watermarks in the log. A replica that is
        # behind has executed < low (decision 15): it votes above low all the same.
        self._executed = 0
        self._handed_over = 0
        self._next_sequence = 1
        self._results: tuple[int, int, bytes, bytes] | None = None
        self._ready: dict[int, Committed] = {}
        self._diverged_at = 0
        self._refused: Counter[Refusal] = Counter()
        self._handlers: dict[str, Callable[[Signed, Any], Output]] = {
            PRE_PREPARE: self._on_pre_prepare,
            CHECKPOINT: self._on_checkpoint,
            STATUS: self._on_status,
            DECIDED: self._on_decided,
            STABLE: self._on_stable_checkpoint,
            VIEW_CHANGE: self._on_view_change,
            NEW_VIEW: self._on_new_view,
        }

    # --- what the node calls ----------------------------------------------------------------------------

    @property
    def is_primary(self) -> bool:
        """Whether the present view is ours to lead, be it entered yet or not."""
        return self._primary == self._index

    @property
    def primary(self) -> int:
        return self._primary

    @property
    def view(self) -> int:
        return self._view

    @property
    def is_changing(self) -> bool:
        """Whether a view change is under way here."""
        return self._voting_view != self._view

    @property
    def doublings(self) -> int:
        """How often the basic timeout is doubled now, after view changes that led to nothing."""
        return self._patience.doublings

    @property
    def own_view_change(self) -> Signed | None:
        """Our VIEW-CHANGE while it is unanswered: sent again with each STATUS."""
        return self._own_change if self.is_changing else None

    def is_reproposed(self, content: PrePrepare) -> bool:
        """Tell whether the present view began with this proposal: then its time is not judged again."""
        return content.view == self._voting_view and self._reproposed.get(content.sequence) == content.digest

    @property
    def next_sequence(self) -> int:
        """What `propose` will assign."""
        return self._next_sequence

    @property
    def in_flight(self) -> bool:
        """Whether anything is known here that is not executed yet, or others are known to be ahead."""
        return self._executed < self._log.low or any(
            slot.is_active for slot in self._log.slots(self._executed)
        )

    @property
    def can_propose(self) -> bool:
        """Whether this is the primary, with room below the high watermark and in the pipeline."""
        sequence = self._next_sequence
        return (
            self._primary == self._index
            and self._voting_view == self._view
            and sequence <= self._log.high
            and sequence - self._executed <= self.config.pipeline
        )

    def propose(self, digest: bytes, attachment: bytes | None) -> Output:
        """Assign the next sequence number to a batch (4.2). Ask `can_propose` first."""
        assert self.can_propose, "only a primary with room in window and pipeline proposes"
        sequence = self._next_sequence
        self._next_sequence = sequence + 1
        content = PrePrepare(self._epoch, self._view, sequence, digest, self._index)
        pre_prepare = self._sign(content, attachment)
        slot = self._log.open(sequence, self._view, self._primary, self._periods.count)
        self._accept(slot, pre_prepare, digest)
        return self._advance(slot, (pre_prepare,), (pre_prepare,))

    def start_view_change(self, cause: str) -> Output:
        """Suspect the primary: leave the view and ask for the next one (4.4). The node's timers call this."""
        return together(self._change_to(self._view + 1, cause), self._after_view_change())

    def step(self, signed: Signed) -> Output:
        """Take one message whose signatures, and whose batch if it carries one, the node has verified."""
        content = signed.content
        kind = content.KIND
        if kind is COMMIT or kind is PREPARE:
            return self._on_vote(signed, content)  # type: ignore[arg-type]
        handler = self._handlers.get(kind)
        if handler is None:
            return self._refuse(Refusal.UNKNOWN_KIND)
        return handler(signed, content)

    def executed(self, sequence: int, height: int, header_hash: bytes, state_root: bytes) -> Output:
        """Learn the results of what was handed over; every K sequence numbers are a checkpoint (4.3)."""
        assert sequence == self._executed + 1, "execution is strictly in sequence"
        assert sequence <= self._handed_over, "only what was handed over can have been executed"
        self._executed = sequence
        self._results = (sequence, height, header_hash, state_root)
        if sequence <= self._log.low:
            return self._compare_with_stable()
        if sequence % self.config.checkpoint_interval == 0:
            return self.checkpoint_now()
        return NOTHING

    def checkpoint_now(self) -> Output:
        """Send a CHECKPOINT for what was executed last: when idle, and at the end of a run."""
        sequence = self._executed
        if self._results is None or sequence <= self._log.low or sequence in self._checkpoints.own:
            return NOTHING
        content = Checkpoint(self._epoch, *self._results, self._index)
        signed = self._sign(content, None)
        self._checkpoints.own[sequence] = signed
        mask = self._checkpoints.add(signed, content, self._log.high)
        if mask.bit_count() < self._quorum:
            return Output(broadcast=(signed,), records=(signed,))
        return self._stabilise(self._checkpoints.certificate(content), (signed,), (signed,))

    def restore(self, past: Remembered) -> Output:
        """Go on after a restart where the log ends, and send the votes of open slots again (pbft.md A.8).

        The steps that had led to them are taken again; a replica that had been stopped between two of them
        takes the next one now. Only for a replica that has done nothing yet.
        """
        assert self._executed == 0, "a replica is restored before it does anything"
        log = self._log
        if past.stable is not None:
            log.advance(past.low)
            self._checkpoints.advance(past.stable, log.low, log.high)
        if past.results is not None:
            self._results = past.results
            self._executed = self._handed_over = past.results[0]
        if past.new_view is not None:
            self._restore_view(past.new_view)
        broadcast: tuple[Signed, ...] = ()
        records: tuple[Record, ...] = ()
        for committed in past.decided:
            slot = log.open(committed.sequence, self._view, self._primary, RESTORED)
            slot.phase = Phase.COMMITTED
            slot.committed = committed
        for sequence in sorted(past.pre_prepares):
            output = self._restore_slot(past, sequence)
            broadcast += output.broadcast
            records += output.records
        for sequence, checkpoint in past.checkpoints.items():
            self._checkpoints.own[sequence] = checkpoint
            self._checkpoints.add(checkpoint, checkpoint.content, log.high)  # type: ignore[arg-type]
            broadcast += (checkpoint,)
        self._next_sequence = max(self._executed, log.low, *past.pre_prepares, *self._reproposed, 0) + 1
        again = [Output(broadcast=broadcast, records=records)]
        if past.new_view is not None and isinstance(past.new_view.content, NewView):
            proposed = past.new_view.content.pre_prepares
            again += [self._take_over(each) for each in proposed if self._lacks(each)]
        if past.view_change is not None:
            again.append(self._leave_again(past.view_change))
        return together(*again)

    def _restore_view(self, new_view: Signed) -> None:
        """Be in the view that was entered last; its slots are restored after this."""
        content = new_view.content
        assert isinstance(content, NewView)
        self._view = self._voting_view = content.view
        self._primary = self.config.primary(content.view)
        self._new_view = new_view
        self._reproposed = {
            signed.content.sequence: signed.content.digest
            for signed in content.pre_prepares
            if isinstance(signed.content, PrePrepare)
        }

    def _lacks(self, signed: Signed) -> bool:
        """Whether a pre-prepare of O was not accepted yet when the replica stopped."""
        content = signed.content
        assert isinstance(content, PrePrepare)
        slot = self._log.find(content.sequence)
        return slot is None or slot.phase is _WAITING

    def _leave_again(self, signed: Signed) -> Output:
        """A replica that had asked for a later view asks for it again, with the identical message."""
        content = signed.content
        assert isinstance(content, ViewChange)
        if content.view <= self._view:
            return NOTHING
        self._view = content.view
        self._primary = self.config.primary(content.view)
        self._voting_view = _NO_VIEW
        self._own_change = signed
        self._patience.started()
        self._changes.add(signed, content)
        return Output(broadcast=(signed,), view_steps=(self._view_step(STARTED, "restart"),))

    def _restore_slot(self, past: Remembered, sequence: int) -> Output:
        """Take the steps again that had led to our votes for a slot."""
        pre_prepare = past.pre_prepares[sequence]
        prepared = past.prepared.get(sequence)
        slot = self._log.open(sequence, self._view, self._primary, RESTORED)
        slot.prepared = prepared
        slot.bodies.update(past.bodies.get(sequence, {}))
        content = pre_prepare.content
        assert isinstance(content, PrePrepare)
        if slot.phase is not _WAITING or content.view != self._view:
            return NOTHING
        self._accept(slot, pre_prepare, content.digest)
        if prepared is not None and prepared.pre_prepare.content == content:
            for vote in prepared.votes:
                slot.prepares.votes[vote.content.sender] = vote
            slot.prepares.count = len(prepared.votes)
        if self._primary == self._index:
            return self._advance(slot, (pre_prepare,), ())
        prepare = self._sign(Prepare(self._epoch, self._view, sequence, content.digest, self._index), None)
        if slot.prepares.votes[self._index] is None:
            slot.prepares.votes[self._index] = prepare
            slot.prepares.count += 1
        return self._advance(slot, (prepare,), (prepare,))

    def status_message(self) -> Signed:
        """Return our STATUS, to be sent to all, and end a STATUS period: slots and results grow older.

        The node calls this periodically, and need not send it while nothing is overdue.
        """
        self._periods.end(self._executed)
        overdue = open_slots(self._log, self._executed, self._periods)
        # One who changes view lacks the NEW-VIEW of the view that it wants.
        view = self._view - 1 if self.is_changing else self._view
        content = Status(self._epoch, view, self._log.low, self._executed, overdue, self._index)
        return self._sign(content, None)

    def status(self) -> ReplicaStatus:
        """Return a snapshot: where this replica is, and what each open sequence number waits for."""
        log = self._log
        following = self._executed + 1
        open_sequences = [slot.sequence for slot in log.slots(self._executed) if slot.is_active]
        listed = [*range(max(following, log.low + 1), max(open_sequences, default=following) + 1)]
        if following <= log.low:
            listed.insert(0, following)
        return ReplicaStatus(
            index=self._index,
            epoch=self._epoch,
            view=self._view,
            primary=self._primary,
            mode=Mode.VIEW_CHANGE if self.is_changing else Mode.NORMAL,
            stable=log.low,
            high=log.high,
            executed=self._executed,
            next_sequence=self._next_sequence if self.is_primary else 0,
            can_propose=self.can_propose,
            open=tuple(
                slot_status(
                    log.find(sequence),
                    sequence,
                    config=self.config,
                    primary=self._primary,
                    low=log.low,
                    executed=self._executed,
                )
                for sequence in listed
            ),
            behind=self._checkpoints.attested_above(log.high, self.config.weak_quorum),
            diverged_at=self._diverged_at,
            refused=tuple((str(cause), self._refused[cause]) for cause in Refusal if self._refused[cause]),
            view_changes=tuple(signed.content.sender for signed in self._changes.for_view(self._view))
            if self.is_changing
            else (),
            quorum=self._quorum,
        )

    # --- a handler for each kind of message -------------------------------------------------------------

    def _on_pre_prepare(self, signed: Signed, content: PrePrepare) -> Output:
        log = self._log
        if (
            content.view != self._voting_view
            or content.epoch != self._epoch
            or content.sender != self._primary
            or not log.low < content.sequence <= log.high
        ):
            return self._refuse_pre_prepare(signed, content)
        slot = log.open(content.sequence, self._view, self._primary, self._periods.count)
        first = slot.pre_prepare
        if first is not None and first.content != content:
            return self._accuse(slot, first, signed)
        if slot.phase is not _WAITING:
            return NOTHING
        digest = content.digest
        if signed.attachment is None and digest != self._null_digest:
            if first is not None:
                return NOTHING
            slot.pre_prepare = signed
            return Output(wanted=(Wanted(content.sequence, digest),))
        return self._agree(slot, signed, digest)

    def _on_vote(self, signed: Signed, vote: Prepare | Commit) -> Output:
        """PREPARE and COMMIT: most deliveries end here, and most of them change nothing but a bit."""
        log = self._log
        sequence = vote.sequence
        sender = vote.sender
        if (
            vote.view != self._voting_view
            or vote.epoch != self._epoch
            or not log.low < sequence <= log.high
            or not 0 <= sender < log.n
        ):
            return self._refuse_vote(signed, vote)
        slot = log.ring[sequence % log.window]
        if slot is None:
            slot = log.open(sequence, self._view, self._primary, self._periods.count)
        tally = slot.prepares if vote.KIND is PREPARE else slot.commits
        first = tally.votes[sender]
        if first is not None:
            return NOTHING if first is signed or first.content == vote else self._accuse(slot, first, signed)
        if sender == tally.barred:
            return self._refuse(Refusal.PREPARE_FROM_PRIMARY)
        tally.votes[sender] = signed
        digest = vote.digest
        if digest != slot.digest:
            tally.early[digest] = tally.early.get(digest, 0) + 1
            return NOTHING
        count = tally.count = tally.count + 1
        if count == tally.needed:
            return self._advance(slot, (), ())
        return NOTHING

    def _on_checkpoint(self, signed: Signed, content: Checkpoint) -> Output:
        log = self._log
        if content.epoch != self._epoch:
            return self._refuse(Refusal.ANOTHER_EPOCH)
        if not 0 <= content.sender < log.n:
            return self._refuse(Refusal.STRANGER)
        if content.sequence <= log.low:
            return NOTHING
        checkpoints = self._checkpoints
        first = checkpoints.vote_of(content.sequence, content.sender)
        if first is not None:
            if first.content == content or checkpoints.accused >> content.sender & 1:
                return NOTHING
            checkpoints.accused |= 1 << content.sender
            return self._evidence(first, signed)
        mask = checkpoints.add(signed, content, log.high)
        if mask.bit_count() < self._quorum:
            return NOTHING
        return self._stabilise(checkpoints.certificate(content), (), ())

    def _on_status(self, _signed: Signed, content: Status) -> Output:
        """Send the peer what it lacks."""
        if content.epoch != self._epoch:
            return self._refuse(Refusal.ANOTHER_EPOCH)
        peer = content.sender
        if not 0 <= peer < self._log.n:
            return self._refuse(Refusal.STRANGER)
        if peer == self._index:
            return NOTHING
        messages = answer(
            content,
            config=self.config,
            view=-1 if self.is_changing else self._view,
            new_view=self._new_view,
            log=self._log,
            checkpoints=self._checkpoints,
            periods=self._periods,
            batch_of=self._batch_of,
            sign=self._sign,
        )
        return Output(unicast=tuple((peer, message) for message in messages)) if messages else NOTHING

    def _on_decided(self, signed: Signed, content: Decided) -> Output:
        """Take a certificate in place of our own votes: it proves the decision in any view (pbft.md A.4)."""
        log = self._log
        sequence, digest = content.sequence, content.digest
        if sequence <= self._handed_over or sequence in self._ready:
            return NOTHING
        if sequence > min(log.high, self._handed_over + log.window):
            return self._refuse(Refusal.BEYOND_WINDOW)
        certificate = content.certificate
        complete = signed.attachment is not None or digest == self._null_digest
        if not (complete and certificate.fields[1:] == (sequence, digest)) or not is_quorum(
            certificate, COMMIT, self.config
        ):
            return self._refuse(Refusal.UNPROVEN)
        committed = Committed(sequence, digest, signed, certificate)
        if sequence > log.low:
            slot = log.open(sequence, self._view, self._primary, self._periods.count)
            transition = on_certificate(slot.phase)
            assert transition is not None, "a committed slot is handed over or ready"
            slot.phase = transition.next_phase
            slot.committed = committed
        self._next_sequence = max(self._next_sequence, sequence + 1)
        return Output(committed=self._in_sequence(committed))

    def _on_stable_checkpoint(self, _signed: Signed, content: StableCheckpoint) -> Output:
        certificate = content.certificate
        match certificate.fields:
            case (int(sequence), int(), bytes(), bytes()) if is_quorum(certificate, CHECKPOINT, self.config):
                pass
            case _:
                return self._refuse(Refusal.UNPROVEN)
        if sequence <= self._log.low:
            return NOTHING
        return self._stabilise(certificate, (), ())

    # --- the view change --------------------------------------------------------------------------------

    def _on_view_change(self, signed: Signed, content: ViewChange) -> Output:
        """4.4: collect a quorum's; 4.5.2: follow f+1 of them."""
        problem = problem_with_view_change(content, self.config)
        if problem is not None:
            return self._refuse(Refusal.UNPROVEN)
        before = self._changes.of(content.sender)
        if before is not None and before.content.slot == content.slot and before.content != content:
            return self._evidence(before, signed)
        if not self._changes.add(signed, content) or content.view <= self._voting_view:
            return NOTHING
        return self._after_view_change()

    def _after_view_change(self) -> Output:
        """Do what the VIEW-CHANGEs that are here allow: join f+1, start the new view, or wait for it."""
        outputs = []
        while (view := self._changes.view_to_join(self._view, self.config.weak_quorum)) is not None:
            outputs.append(self._change_to(view, "others"))
        changes = self._changes.for_view(self._view)
        if self.is_changing and len(changes) >= self._quorum and not self._is_awaited:
            self._is_awaited = True
            if self._primary == self._index:
                outputs.append(self._start_new_view(changes))
            else:
                outputs.append(Output(view_steps=(self._view_step(AWAITED, "a quorum wants the view"),)))
        return together(*outputs)

    def _change_to(self, view: int, cause: str) -> Output:
        """Leave the present view and say what was prepared here in all views so far."""
        assert view > self._view, "the view only goes up"
        self._view = view
        self._primary = self.config.primary(view)
        self._voting_view = _NO_VIEW
        self._is_awaited = False
        self._patience.started()
        log = self._log
        content = ViewChange(
            self._epoch, view, log.low, self._checkpoints.stable, proofs_of(log.slots(log.low)), self._index
        )
        signed = self._own_change = self._sign(content, None)
        self._changes.add(signed, content)
        return Output(broadcast=(signed,), records=(signed,), view_steps=(self._view_step(STARTED, cause),))

    def _start_new_view(self, changes: tuple[Signed, ...]) -> Output:
        """4.4: the new primary computes O, signs each of its pre-prepares, and sends them with V."""
        choice = self._choice_of(changes)
        proposed = tuple(
            self._sign(content, None) for content in pre_prepares_of(choice, self._view, self.config)
        )
        new_view = self._sign(NewView(self._epoch, self._view, changes, proposed, self._index), None)
        return self._enter(new_view, choice, proposed, broadcast=(new_view,))

    def _on_new_view(self, signed: Signed, content: NewView) -> Output:
        """4.4: compute O again from V. A NEW-VIEW that does not follow from its V gets no second chance."""
        if content.view <= self._voting_view:
            first = self._new_view
            if first is not None and first.content.slot == content.slot and first.content != content:
                return self._evidence(first, signed)
            return NOTHING
        if content.view < self._view:
            return self._refuse(Refusal.EARLIER_VIEW)
        problem = problem_with_new_view(content, self.config)
        if problem is None:
            return self._enter(signed, self._choice_of(content.view_changes), content.pre_prepares)
        refused = self._refuse(Refusal.UNPROVEN)
        if content.view == self._view and content.sender == self._primary:
            return self.start_view_change("the NEW-VIEW is invalid")
        return refused

    def _choice_of(self, changes: tuple[Signed, ...]) -> Choice:
        contents = [signed.content for signed in changes]
        return choose([each for each in contents if isinstance(each, ViewChange)], self.config)

    def _enter(
        self,
        new_view: Signed,
        choice: Choice,
        proposed: tuple[Signed, ...],
        broadcast: tuple[Signed, ...] = (),
    ) -> Output:
        """Begin the view: take its checkpoint, start all tallies anew, agree on O again.

        What was executed is agreed again, never executed again; null batches take their number as no-ops.
        """
        content = new_view.content
        assert isinstance(content, NewView)
        outputs = [Output(broadcast=broadcast, records=(new_view,))]
        self._view = self._voting_view = content.view
        self._primary = self.config.primary(content.view)
        self._new_view = new_view
        log = self._log
        if choice.checkpoint is not None and choice.low > log.low:
            outputs.append(self._stabilise(choice.checkpoint, (), ()))
        log.restart(self._view, self._primary, self._periods.count)
        self._next_sequence = max(choice.high, log.low, self._handed_over) + 1
        self._reproposed = {
            signed.content.sequence: signed.content.digest
            for signed in proposed
            if isinstance(signed.content, PrePrepare)
        }
        step = self._view_step(ENTERED, "a quorum's view changes", tuple(self._reproposed.items()))
        outputs.append(Output(view_steps=(step,)))
        outputs += [self._take_over(signed) for signed in proposed]
        outputs += [self.step(signed) for signed in self._early.take(self._view)]
        return together(*outputs)

    def _take_over(self, signed: Signed) -> Output:
        """Accept a pre-prepare of O, with its batch if it was ever here; else the batch is asked for."""
        content = signed.content
        assert isinstance(content, PrePrepare)
        if not self._log.low < content.sequence <= self._log.high:
            return NOTHING
        slot = self._log.open(content.sequence, self._view, self._primary, self._periods.count)
        digest = content.digest
        body = None if digest == self._null_digest else slot.body(digest)
        if body is None and digest != self._null_digest:
            slot.pre_prepare = signed
            return Output(wanted=(Wanted(content.sequence, digest),))
        return self._agree(slot, signed if body is None else signed.with_attachment(body), digest)

    def _view_step(self, kind: str, cause: str, reproposed: tuple[tuple[int, bytes], ...] = ()) -> ViewStep:
        return ViewStep(kind, self._view, cause, self._patience.doublings, reproposed)

    # --- how a slot advances ----------------------------------------------------------------------------

    def _accept(self, slot: Slot, pre_prepare: Signed, digest: bytes) -> None:
        """Count from now on what is voted for this digest; early votes may have been waiting for it."""
        assert slot.phase is ACCEPT.phase
        slot.phase = ACCEPT.next_phase
        slot.pre_prepare = pre_prepare
        slot.digest = digest
        if slot.prepares.early:
            slot.prepares.accept(digest)
        if slot.commits.early:
            slot.commits.accept(digest)

    def _agree(self, slot: Slot, pre_prepare: Signed, digest: bytes) -> Output:
        """Accept a complete pre-prepare; a backup votes for it."""
        self._accept(slot, pre_prepare, digest)
        if self._primary == self._index:
            return self._advance(slot, (), (pre_prepare,))
        prepare = self._sign(Prepare(self._epoch, self._view, slot.sequence, digest, self._index), None)
        slot.prepares.votes[self._index] = prepare
        slot.prepares.count += 1
        return self._advance(slot, (prepare,), (pre_prepare, prepare))

    def _advance(self, slot: Slot, broadcast: tuple[Signed, ...], records: tuple[Record, ...]) -> Output:
        """Take every step that the tallies allow, one after the other, and say what follows from them."""
        prepares, commits, quorum = slot.prepares, slot.commits, self._quorum
        committed: tuple[Committed, ...] = ()
        while (step := due(slot.phase, prepares.count, commits.count, quorum)) is not None:
            pre_prepare, digest = slot.pre_prepare, slot.digest
            assert pre_prepare is not None
            assert digest is not None
            slot.phase = step.next_phase
            if step is PREPARE_QUORUM:
                prepared = slot.prepared = Prepared(pre_prepare, prepares.matching(digest))
                content = Commit(self._epoch, self._view, slot.sequence, digest, self._index)
                commit = self._sign(content, None)
                commits.votes[self._index] = commit
                commits.count += 1
                broadcast += (commit,)
                records += (prepared, commit)
            elif slot.committed is None:
                decision = slot.committed = Committed(
                    slot.sequence, digest, pre_prepare, commits.matching(digest)
                )
                committed = self._in_sequence(decision)
        if not broadcast and not committed and not records:
            return NOTHING
        return Output(broadcast, (), records, committed)

    def _in_sequence(self, decision: Committed) -> tuple[Committed, ...]:
        """Agreement is out of order inside the window; hand over without gaps (4.2)."""
        if decision.sequence == self._handed_over + 1 and not self._ready:
            self._handed_over = decision.sequence
            return (decision,)
        self._ready[decision.sequence] = decision
        handed_over = []
        while (following := self._ready.pop(self._handed_over + 1, None)) is not None:
            self._handed_over = following.sequence
            handed_over.append(following)
        return tuple(handed_over)

    # --- checkpoints ------------------------------------------------------------------------------------

    def _stabilise(
        self, certificate: Certificate, broadcast: tuple[Signed, ...], records: tuple[Record, ...]
    ) -> Output:
        """Move the watermarks up to a certified checkpoint (4.3), executed here or not (decision 15).

        The slots at or below it go; what of them is decided and waits for an earlier sequence number stays in
        `_ready`. All that is signed from now on has records behind the certificate's, so nothing can leave
        before the certificate is durable.
        """
        sequence = certificate.fields[0]
        own = self._checkpoints.own.get(sequence)
        self._log.advance(sequence)
        self._checkpoints.advance(certificate, self._log.low, self._log.high)
        self._next_sequence = max(self._next_sequence, sequence + 1)
        if not self.is_changing:
            self._patience.succeeded()
        divergence = None
        if own is not None:
            divergence = self._divergence(own.content.fields())
        elif self._results is not None and self._results[0] == sequence:
            divergence = self._divergence(self._results)
        return Output(
            broadcast=broadcast,
            records=(*records, certificate),
            stable=certificate,
            divergence=divergence,
        )

    def _compare_with_stable(self) -> Output:
        """A replica that was behind has executed up to what the others certified: it must be the same."""
        assert self._results is not None
        stable = self._checkpoints.stable
        if stable is None or stable.fields[0] != self._results[0]:
            return NOTHING
        divergence = self._divergence(self._results)
        return NOTHING if divergence is None else Output(divergence=divergence)

    def _divergence(self, own: tuple[Any, ...]) -> Divergence | None:
        stable = self._checkpoints.stable
        assert stable is not None
        if stable.fields == own:
            return None
        self._diverged_at = self._diverged_at or own[0]
        return Divergence(own[0], own, stable.fields)

    # --- refusals ---------------------------------------------------------------------------------------

    def _refuse_pre_prepare(self, signed: Signed, content: PrePrepare) -> Output:
        if self._is_early(content) and content.sender == self.config.primary(content.view):
            self._early.keep(signed)
            return NOTHING
        log = self._log
        refusal = pre_prepare_refusal(
            content, epoch=self._epoch, view=self._view, primary=self._primary, low=log.low, high=log.high
        )
        assert refusal is not None, "the quick test and the rules agree"
        return self._refuse(refusal)

    def _refuse_vote(self, signed: Signed, vote: Prepare | Commit) -> Output:
        if self._is_early(vote):
            self._early.keep(signed)
            return NOTHING
        log = self._log
        refusal = vote_refusal(vote, epoch=self._epoch, view=self._view, n=log.n, low=log.low, high=log.high)
        assert refusal is not None, "the quick test and the rules agree"
        return self._refuse(refusal)

    def _is_early(self, content: PrePrepare | Prepare | Commit) -> bool:
        """Tell whether a vote is of a view that we may enter soon; then it is kept, in bounds."""
        return (
            self._voting_view < content.view <= self._view + VIEWS_AHEAD
            and content.view >= self._view
            and content.epoch == self._epoch
            and 0 <= content.sender < self._log.n
            and self._log.low < content.sequence <= self._log.high
        )

    def _refuse(self, refusal: Refusal) -> Output:
        if refusal is not Refusal.LATE and refusal is not Refusal.EARLIER_VIEW:
            self._refused[refusal] += 1
        return NOTHING

    def _accuse(self, slot: Slot, first: Signed, second: Signed) -> Output:
        """Give evidence of a second, different content for one slot, once for each sender and slot."""
        bit = 1 << second.content.sender
        if slot.accused & bit:
            return NOTHING
        slot.accused |= bit
        return self._evidence(first, second)

    def _evidence(self, first: Signed, second: Signed) -> Output:
        self._refused[Refusal.CONFLICT] += 1
        return Output(evidence=(Evidence(first.header, second.header),))


_WAITING = Phase.WAITING
_NO_VIEW = -1
"""No message is of this view: while a view change is under way, the quick tests let none through."""
