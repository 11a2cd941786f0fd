"""The node of one bank: consensus, ledger and mempool joined, as a pure function of its inputs.

`handle(input, now_us) -> Effects` is the only entry. There is no clock, randomness, I/O or thread in here, so
the same node runs in the simulation and live. Reading order: `handle`, one method for each input, then
requests, pre-prepares, proposals, execution, and last what drivers may read (`wanted`, `status`).

Route of a request (design decision 7): client -> its bank, which bundles it (100 requests or 10 ms), sends
the bundle to the primary and arms its timer; on timeout it broadcasts; a backup relays and times as well.
When that runs out too, the primary is suspected: the replica changes view, and the next primary orders
everything that is still waited for.
"""

from dataclasses import dataclass
from typing import Any

from consortium.certificate import Certificate
from consortium.consensus.messages import (
    COMMIT,
    NEW_VIEW,
    PRE_PREPARE,
    PREPARE,
    VIEW_CHANGE,
    Decided,
    PrePrepare,
    Signed,
    StableCheckpoint,
    Status,
    ViewChange,
)
from consortium.consensus.output import AWAITED, ENTERED, NOTHING, Committed, Output, ViewStep
from consortium.consensus.quorum import ConsensusConfig
from consortium.consensus.replica import Replica
from consortium.consensus.restore import remember
from consortium.consensus.status import Mode, ReplicaStatus, SlotStatus, Wait
from consortium.crypto import Signer, hash_bytes
from consortium.ledger.admission import Admission
from consortium.ledger.block import Block
from consortium.ledger.receipt import REFUSED
from consortium.ledger.sessions import decode_session, session_key
from consortium.ledger.state import get
from consortium.ledger.transaction import Batch, Bundle, Transaction, batch_of, bundle_body
from consortium.ledger.transition import Rules
from consortium.node.effects import (
    ALL,
    NOTHING_DONE,
    Amnesia,
    Boot,
    BusinessTime,
    Check,
    Diverged,
    Durable,
    Effects,
    Executed,
    Finish,
    Halted,
    Input,
    Received,
    Recovered,
    Reply,
    Stable,
    Submit,
    Suspected,
    TimerFired,
)
from consortium.node.intake import Intake
from consortium.node.mempool import Mempool
from consortium.node.messages import HeaderVote, Request, request_of
from consortium.node.record_log import RecoveryError
from consortium.node.recovery import BlockRecord, NullRecord, Rejoining, own_signature_in, recover
from consortium.node.replies import Replies
from consortium.node.shared import SharedWork
from consortium.node.signguard import SignGuard
from consortium.node.turn import Turn

REQUEST_TIMER = "request"
BUNDLE_TIMER = "bundle"
BATCH_TIMER = "batch"
STATUS_TIMER = "status"
IDLE_TIMER = "idle"
DUE_TIMER = "due"
NEW_VIEW_TIMER = "new-view"
TIMEOUT_DOUBLINGS_MAX = 6
IDLE_STATUS_EVERY = 5
SLOTS_NAMED = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class NodeConfig:
    """How a bank times and bounds its work. None of it is part of the agreed rules.

    `bundle_wait_us` and `bundle_max`: a bank collects its clients' requests this long, or this many.
    `batch_wait_us`, `batch_max` and `batch_bytes_max`: the same for the primary's batches.
    `view_timeout_us`: how long the primary may take, for a request that all banks have, or to start its view;
    twice as long for each view change in a row. After half of it a bank broadcasts what it sent the primary.
    `status_us`: how often a bank tells the others what it has and lacks; short means quick repair of loss.
    `idle_us`: a bank that executed nothing for so long makes a checkpoint. `capacity`: requests of own
    clients that may wait; above it the answer is busy, to be tried again after `retry_after_us`.
    """

    bundle_wait_us: int = 10_000
    bundle_max: int = 100
    batch_wait_us: int = 5_000
    batch_max: int = 400
    batch_bytes_max: int = 1_000_000
    view_timeout_us: int = 400_000
    status_us: int = 200_000
    idle_us: int = 100_000
    capacity: int = 100_000
    retry_after_us: int = 100_000


@dataclass(frozen=True, slots=True, kw_only=True)
class NodeStatus:
    """What a node shows to drivers and people: plain values, no protocol state."""

    identity: str
    index: int
    height: int
    header_hash: bytes
    state_root: bytes
    executed: int
    stable: int
    view: int
    business_time_us: int
    requests_waiting: int
    waits_for: tuple[str, ...]
    is_recovering: bool = False
    """After a restart, until the bank is where the others are."""


class Node:
    """One bank. `rules` and `genesis` are equal at all banks; `signer` holds this bank's key only."""

    def __init__(
        self,
        *,
        identity: str,
        rules: Rules,
        genesis: Block,
        consensus: ConsensusConfig,
        config: NodeConfig,
        signer: Signer,
        shared: SharedWork | None = None,
    ) -> None:
        self.identity = identity
        self.index = consensus.index
        self.tip = genesis
        self.blocks: list[Block] = [genesis]
        self.executed = 0
        """The sequence number executed last."""
        self.checkpoint: Certificate | None = None
        """The certificate of the highest stable checkpoint."""
        self.stable = 0
        """The highest sequence number with a certified checkpoint."""
        self._rules = rules
        self.membership = rules.membership
        self._config = config
        self._consensus = consensus
        self._shared = shared or SharedWork(enabled=False)
        self._guard = SignGuard(signer, rules.chain)
        self._replica = Replica(consensus, self._guard.sign, self._decided_slot)
        self._mempool = Mempool(
            bundle_max=config.bundle_max,
            batch_max=config.batch_max,
            batch_bytes_max=config.batch_bytes_max,
            capacity=config.capacity,
        )
        self._intake = Intake(rules, consensus.epoch, self._shared, genesis.header.time_us)
        self._admission = Admission(rules)
        self._replies = Replies(rules.membership.weak_quorum, consensus.index)
        self._slots: dict[int, tuple[bytes, bytes | None, Certificate]] = {}
        self._generations: dict[str, int] = {}
        self._armed: set[str] = set()
        self._batch_is_due = False
        self._request_timer_us = 0
        self._token = 0
        self._durable_token = 0
        self._executed_since_idle = False
        self._status_count = 0
        self._rejoining = Rejoining(consensus)
        self._halted = ""
        self._knows_above = 0
        """Every signature of ours for a sequence number above this one is remembered."""

    # --- the one entry ----------------------------------------------------------------------------------

    def handle(self, entry: Input, now_us: int) -> Effects:
        """Take one input at virtual or wall time `now_us` and return what must be done."""
        if self._halted:
            return NOTHING_DONE
        if type(entry) is Received:
            kind = entry.signed.content.KIND
            if self._rejoining.abstains_up_to and self._abstains(entry.signed):
                return NOTHING_DONE
            if (kind is PREPARE or kind is COMMIT) and entry.verdicts and entry.verdicts[0]:
                # The hot path: most votes change nothing outside the node.
                output = self._replica.step(entry.signed)
                if output is NOTHING:
                    return NOTHING_DONE
                turn = Turn(now_us, self._token)
                self._carry_out(turn, output)
                return self._finish(turn)
        turn = Turn(now_us, self._token)
        match entry:
            case Received():
                self._received(turn, entry)
            case Submit():
                self._submitted(turn, entry)
            case TimerFired():
                self._timer_fired(turn, entry)
            case Durable():
                self._durable_token = max(self._durable_token, entry.token)
            case BusinessTime():
                for signed in self._intake.business_time(entry.time_us):
                    if not self._abstains(signed):
                        self._carry_out(turn, self._replica.step(signed))
                self._watch_due_work(turn)
            case Boot():
                self._boot(turn, entry.records)
            case Finish():
                self._carry_out(turn, self._replica.checkpoint_now())
        return self._finish(turn)

    def _finish(self, turn: Turn) -> Effects:
        if self._replica.is_primary and not self._rejoining.abstains_up_to:
            self._propose(turn)
        if self._replies.are_awaited:
            for reply in self._replies.ready(self._durable_token):
                self._mempool.waiting_clients.discard(reply.transaction_id)
                turn.reply(reply)
        if turn.persists:
            self._token = turn.token
        signs, self._guard.signs = self._guard.signs, 0
        return turn.finish(signs)

    # --- inputs -----------------------------------------------------------------------------------------

    def _received(self, turn: Turn, entry: Received) -> None:
        signed, verdicts = entry.signed, entry.verdicts
        content = signed.content
        if not verdicts or not verdicts[0]:
            turn.reject("signature", content.sender)
        elif isinstance(content, PrePrepare):
            self._pre_prepare(turn, signed, is_complete=all(verdicts))
        elif not all(verdicts):
            turn.reject(f"incomplete {content.KIND.lower()}", content.sender)
        elif isinstance(content, Request):
            self._request_received(turn, signed, content)
        elif isinstance(content, HeaderVote):
            self._replies.vote(content.height, content.header_hash, content.sender)
        elif isinstance(content, Decided):
            self._look_for_own_signature(turn, content.certificate)
            problem = self._intake.problem_with_decided(signed)
            if problem is None:
                self._carry_out(turn, self._replica.step(signed))
            else:
                turn.reject(problem, content.sender)
        else:
            if isinstance(content, ViewChange):
                self._intake.remember_view_change(signed)
            elif isinstance(content, StableCheckpoint):
                self._look_for_own_signature(turn, content.certificate)
            elif isinstance(content, Status):
                self._heard_status(turn, content)
            self._carry_out(turn, self._replica.step(signed))

    def _submitted(self, turn: Turn, entry: Submit) -> None:
        """Admit a client's transaction (or several, for one bundle), or answer at once why not."""
        transactions = (entry.transaction, *entry.together)
        for transaction in transactions:
            sender = transaction.sender.organisation
            refusal = self._refusal(transaction) if all(entry.verdicts) else "E-SIGNATURE"
            if refusal is not None:
                turn.reject(refusal, sender)
                for each in transactions:
                    turn.reply(Reply(each.id, REFUSED, code=refusal))
                return
            first = self._replies.first_answer(sender, transaction.session, transaction.number)
            if first is not None:
                turn.reply(first)
                return
        if self._mempool.is_full:
            for each in transactions:
                turn.reply(Reply(each.id, "busy", retry_after_us=self._config.retry_after_us))
            return
        fresh = tuple(t for t in transactions if t.id not in self._mempool.waiting_clients)
        self._mempool.waiting_clients.update(t.id for t in fresh)
        if entry.together:
            self._send_bundle(turn, fresh)
            return
        self._mempool.outgoing += fresh
        if len(self._mempool.outgoing) >= self._config.bundle_max:
            self._send_bundle(turn, self._mempool.take_outgoing())
        elif self._mempool.outgoing:
            self._arm_once(turn, BUNDLE_TIMER, self._config.bundle_wait_us)

    def _timer_fired(self, turn: Turn, entry: TimerFired) -> None:
        if self._generations.get(entry.name) != entry.generation or entry.name not in self._armed:
            return
        self._armed.discard(entry.name)
        match entry.name:
            case "bundle":
                while self._mempool.outgoing:
                    self._send_bundle(turn, self._mempool.take_outgoing())
            case "batch":
                self._batch_is_due = True
            case "request":
                self._requests_overdue(turn)
            case "due":
                if not self._replica.is_primary:
                    self._suspect(turn, "due work")
                self._watch_due_work(turn)
            case "new-view":
                self._suspect(turn, "no new view")
            case "idle":
                self._make_idle_checkpoint(turn)
            case "status":
                self._send_status(turn)

    # --- restart (pbft.md A.8) ----------------------------------------------------------------------------

    def _boot(self, turn: Turn, records: tuple[bytes, ...]) -> None:
        """Begin a life: from genesis with an empty log, otherwise where the log ends."""
        self._arm(turn, STATUS_TIMER, self._config.status_us)
        if not records:
            return
        try:
            found = recover(
                records,
                rules=self._rules,
                genesis=self.tip,
                epoch=self._consensus.epoch,
                shared=self._shared,
            )
        except RecoveryError as error:
            self._halted = str(error)
            turn.trace(Halted(self._halted))
            return
        for slot in found.executed:
            self._slots[slot.sequence] = (slot.digest, slot.attachment, slot.certificate)
            self.executed = slot.sequence
            if slot.batch is not None:
                self.tip = slot.block
                self.blocks.append(slot.block)
                self._replies.recovered(slot.block, _own_positions(slot.block, slot.batch, self.index))
        self._intake.business_time(self.tip.header.time_us)
        self._guard.restore(found.consensus, self.index)
        if found.stable is not None:
            self.stable, self.checkpoint = found.stable.fields[0], found.stable
            self._forget_signed(self.stable)
        self._rejoining.begin()
        for sequence, attachment in found.proposals(self.executed):
            batch = self._shared.batch(attachment, self._rules.chain, self._consensus.epoch)
            if batch is not None:
                self._intake.keep(batch, attachment, sequence)
        past = remember(
            found.consensus,
            self.index,
            stable=found.stable,
            results=self._results(),
            decided=[
                Committed(slot.sequence, slot.digest, self._as_decided(slot.sequence), slot.certificate)
                for slot in found.executed
                if slot.sequence > self.stable
            ],
        )
        turn.trace(
            Recovered(
                self.executed, self.tip.header.height, self.tip.hash, self.tip.header.state_root, self.stable
            )
        )
        self._carry_out(turn, self._replica.restore(past))
        turn.send_at_once(ALL, self._replica.status_message())
        if self.executed > self.stable:
            self._arm_once(turn, IDLE_TIMER, self._config.idle_us)

    def _results(self) -> tuple[int, int, bytes, bytes] | None:
        header = self.tip.header
        return (self.executed, header.height, self.tip.hash, header.state_root) if self.executed else None

    def _as_decided(self, sequence: int) -> Signed:
        digest, attachment, certificate = self._slots[sequence]
        content = Decided(self._consensus.epoch, sequence, digest, certificate, self.index)
        return self._guard.sign(content, attachment)

    def _heard_status(self, turn: Turn, status: Status) -> None:
        """Learn where a peer is, and which votes of ours it holds: does our own disk know them?"""
        rejoining = self._rejoining
        if rejoining.is_over:
            return
        rejoining.heard(status)
        for sequence, _, prepares, commits in status.open:
            for kind, mask in ((PREPARE, prepares), (COMMIT, commits)):
                slot = (status.epoch, status.view, sequence, kind)
                claims_ours = mask >> self.index & 1 and sequence > self._knows_above
                if claims_ours and not self._guard.knows(slot) and rejoining.claimed(slot, status.sender):
                    self._forgot(turn, sequence)
        rejoining.progress(self.executed, self.stable)

    def _look_for_own_signature(self, turn: Turn, certificate: Certificate) -> None:
        """A certificate with our own signature under what we do not remember proves that our disk forgot."""
        slot = own_signature_in(certificate, self.index)
        if slot is not None and slot[2] > self._knows_above and not self._guard.knows(slot):
            self._forgot(turn, slot[2])

    def _forget_signed(self, sequence: int) -> None:
        """Nothing is signed any more at or below a stable checkpoint. While the bank is recovering it keeps
        all it knows, to see whether its disk has forgotten any.
        """
        if self._rejoining.is_over:
            self._guard.forget_below(sequence)
            self._knows_above = max(self._knows_above, sequence)

    def _forgot(self, turn: Turn, sequence: int) -> None:
        if not self._rejoining.abstains_up_to:
            turn.trace(Amnesia(sequence))
        self._rejoining.forgot(sequence)

    def _abstains(self, signed: Signed) -> bool:
        """Whether this asks for a vote where the bank may have voted before its disk forgot it."""
        content = signed.content
        if content.KIND in (VIEW_CHANGE, NEW_VIEW):
            return True  # what it would bring into a view is incomplete
        if content.KIND not in (PRE_PREPARE, PREPARE, COMMIT):
            return False
        return bool(content.slot and content.slot[2] <= self._rejoining.abstains_up_to)

    # --- requests ---------------------------------------------------------------------------------------

    def _refusal(self, transaction: Transaction) -> str | None:
        """Return why this bank does not admit a transaction. Only a filter: execution decides."""
        if transaction.chain != self._rules.chain:
            return "E-NETWORK"
        if self.membership.carrier(transaction.sender.organisation) != self.identity:
            return "E-BUNDLE"
        return self._admission.refusal_of(transaction)

    def _send_bundle(self, turn: Turn, transactions: tuple[Transaction, ...]) -> None:
        """Countersign transactions as one bundle and see to it that the primary gets it."""
        if not transactions:
            return
        ids = tuple(transaction.id for transaction in transactions)
        body = bundle_body(self._rules.chain, self._consensus.epoch, self.index, ids)
        bundle = Bundle(
            epoch=self._consensus.epoch,
            bank=self.index,
            transactions=transactions,
            body=body,
            digest=hash_bytes(body),
            signature=self._guard.sign_bytes(body),
        )
        request = request_of(bundle)
        self._intake.remember(bundle)
        self._expect(turn, request, bundle, broadcast=False)
        if self._replica.is_primary:
            self._mempool.enqueue(bundle)
        else:
            turn.send_at_once(self._replica.primary, request)

    def _request_received(self, turn: Turn, signed: Signed, content: Request) -> None:
        bundle = content.bundle
        if self._mempool.is_known(bundle.digest) or all(self._is_executed(t) for t in bundle.transactions):
            return
        if self._mempool.queued_transactions >= self._config.capacity:
            turn.reject("queue full", content.sender)
            return
        self._intake.remember(bundle)
        self._expect(turn, signed, bundle, broadcast=True)
        if self._replica.is_primary:
            self._mempool.enqueue(bundle)
        else:
            turn.send_at_once(self._replica.primary, signed)

    def _expect(self, turn: Turn, request: Signed, bundle: Any, *, broadcast: bool) -> None:
        patience_us = self._patience_us if broadcast else self._patience_us // 2
        deadline_us = turn.now_us + patience_us
        self._mempool.expect(bundle, request, deadline_us, broadcast=broadcast)
        if REQUEST_TIMER not in self._armed or deadline_us < self._request_timer_us:
            self._request_timer_us = deadline_us
            self._arm(turn, REQUEST_TIMER, patience_us)

    @property
    def _patience_us(self) -> int:
        """How long the primary may take now: doubled for each view change in a row."""
        return self._config.view_timeout_us << min(self._replica.doublings, TIMEOUT_DOUBLINGS_MAX)

    def _requests_overdue(self, turn: Turn) -> None:
        """Broadcast what the primary did not get ordered; if all banks had that already, suspect it."""
        is_late = False
        for pending in self._mempool.overdue(turn.now_us):
            if pending.broadcast:
                is_late = True
            else:
                pending.broadcast = True
                turn.send_at_once(ALL, pending.request)
            pending.deadline_us = turn.now_us + self._patience_us
        if is_late and not self._replica.is_primary and not self._replica.is_changing:
            self._suspect(turn, "requests")
        self._time_requests(turn)

    def _time_requests(self, turn: Turn) -> None:
        deadline_us = self._mempool.next_deadline_us()
        if deadline_us is not None:
            self._request_timer_us = deadline_us
            self._arm(turn, REQUEST_TIMER, deadline_us - turn.now_us)

    def _is_executed(self, transaction: Transaction) -> bool:
        stored = get(self.tip.state, session_key(transaction.sender.organisation, transaction.session))
        return stored is not None and decode_session(stored).is_executed(transaction.number)

    # --- pre-prepares and proposals ------------------------------------------------------------------------

    def _pre_prepare(self, turn: Turn, signed: Signed, *, is_complete: bool) -> None:
        """Vote only for a batch that is all there, matches its digest and has an acceptable time."""
        content = signed.content
        assert isinstance(content, PrePrepare)
        is_timed = not self._replica.is_reproposed(content)
        problem = self._intake.problem_with(signed, is_complete=is_complete, is_timed=is_timed)
        if problem is not None:
            turn.reject(problem, signed.content.sender)
        elif not (is_timed and self._intake.is_held(signed)):
            self._carry_out(turn, self._replica.step(signed))

    def _propose(self, turn: Turn) -> None:
        """Order what waits: full batches at once, others when their time is up, due work when none waits."""
        while self._replica.can_propose:
            if self._mempool.has_queue and (self._batch_is_due or self._mempool.has_full_batch):
                bundles = self._mempool.next_batch()
            elif not self._mempool.has_queue and self._has_due_work() and not self._replica.in_flight:
                bundles = ()
            else:
                break
            batch = batch_of(self._rules.chain, self._consensus.epoch, bundles, self._intake.business_time_us)
            attachment = batch.encoded()
            self._shared.remember_batch(attachment, batch)
            turn.hashed_bytes += len(attachment)
            self._intake.keep(batch, attachment, self._replica.next_sequence)
            self._carry_out(turn, self._replica.propose(batch.digest, attachment))
        if not self._mempool.has_queue:
            self._batch_is_due = False
        elif not self._batch_is_due:
            self._arm_once(turn, BATCH_TIMER, self._config.batch_wait_us)

    def _has_due_work(self) -> bool:
        due_us = self.tip.next_due_us
        return due_us is not None and due_us <= self._intake.business_time_us

    def _watch_due_work(self, turn: Turn) -> None:
        """Backups time due work like a request."""
        if self._has_due_work():
            self._arm_once(turn, DUE_TIMER, self._patience_us)
        else:
            self._cancel(turn, DUE_TIMER)

    # --- carrying out what the replica says --------------------------------------------------------------

    def _carry_out(self, turn: Turn, output: Output) -> None:
        if output is NOTHING:
            return
        for record in output.records:
            turn.persist(record)
        for signed in output.broadcast:
            turn.send(ALL, signed)
        for to, signed in output.unicast:
            turn.send(to, signed)
        for found in output.evidence:
            turn.evidence(found)
        for committed in output.committed:
            self._execute(turn, committed)
        for step in output.view_steps:
            self._follow(turn, step)
        if output.divergence is not None:
            turn.trace(Diverged(output.divergence.sequence))
        if output.stable is not None:
            sequence, height = output.stable.fields[:2]
            if sequence > self.stable:
                self.stable, self.checkpoint = sequence, output.stable
            if output.divergence is None:
                self._replies.certified(height)
            self._forget_signed(sequence)
            self._intake.forget_below(min(sequence, self.executed))
            turn.trace(Stable(sequence, output.stable))

    # --- changes of view ----------------------------------------------------------------------------------

    def _suspect(self, turn: Turn, cause: str) -> None:
        turn.trace(Suspected(self._replica.view, cause))
        if not self._rejoining.abstains_up_to:
            self._carry_out(turn, self._replica.start_view_change(cause))

    def _follow(self, turn: Turn, step: ViewStep) -> None:
        """Time the next primary; once its view is entered, give it what is waited for."""
        if step.view != self._replica.view:
            return  # left again in the same turn
        self._cancel(turn, NEW_VIEW_TIMER)
        if step.kind == AWAITED:
            delay_us = self._config.view_timeout_us << min(step.doublings, TIMEOUT_DOUBLINGS_MAX)
            self._arm(turn, NEW_VIEW_TIMER, delay_us)
        elif step.kind == ENTERED:
            self._hand_over_requests(turn, step)
            self._cancel(turn, DUE_TIMER)
            self._watch_due_work(turn)

    def _hand_over_requests(self, turn: Turn, step: ViewStep) -> None:
        """The new primary orders all that waits, except what its view began with; others send it theirs."""
        self._mempool.clear_queue()
        reproposed = self._intake.bundles_of(step.reproposed)
        patience_us = self._patience_us
        for pending in self._mempool.pending.values():
            pending.deadline_us = turn.now_us + (patience_us if pending.broadcast else patience_us // 2)
            if pending.bundle.digest in reproposed:
                continue
            if self._replica.is_primary:
                self._mempool.enqueue(pending.bundle)
            else:
                turn.send_at_once(self._replica.primary, pending.request)
        self._time_requests(turn)

    def _execute(self, turn: Turn, committed: Committed) -> None:
        """Execute one slot, in sequence; persist the block; sign its header for its clients' banks."""
        found = self._intake.take(committed.sequence, committed.digest)
        certificate = committed.certificate
        if found is None:
            self._slots[committed.sequence] = (committed.digest, None, certificate)
            turn.persist(NullRecord(committed.sequence, certificate))
            block = self.tip
        else:
            batch, attachment = found
            block = self._shared.block(
                self._rules, self.tip, batch, self._consensus.epoch, committed.sequence
            )
            self.tip = block
            self.blocks.append(block)
            self._slots[committed.sequence] = (committed.digest, attachment, certificate)
            turn.persist(BlockRecord(block, attachment, certificate))
            turn.gas += block.gas_used
            turn.transactions += len(block.receipts)
            self._settle(turn, block, batch)
        turn.trace(
            Executed(
                self._consensus.epoch,
                committed.sequence,
                committed.digest,
                block.header.height,
                block.header_bytes,
                block.hash,
                block.header.state_root,
                () if found is None else block.outcomes,
                certificate,
                block,
            )
        )
        self._executed_since_idle = True
        self._arm_once(turn, IDLE_TIMER, self._config.idle_us)
        self._watch_due_work(turn)
        self.executed = committed.sequence
        output = self._replica.executed(
            committed.sequence, block.header.height, block.hash, block.header.state_root
        )
        self._carry_out(turn, output)

    def _settle(self, turn: Turn, block: Block, batch: Batch) -> None:
        """Clear what waited for the block's transactions and tell their banks its header."""
        for transaction in block.transactions:
            self._mempool.done(transaction)
        taken = len(block.transactions)
        position = 0
        own: list[int] = []
        vote = None
        banks = 0
        for bundle in batch.bundles:
            if position >= taken and self._replica.is_primary and not self._mempool.is_known(bundle.digest):
                self._mempool.enqueue(bundle)  # the block had no room for it: it stays a request
            for _ in bundle.transactions[: max(0, taken - position)]:
                if bundle.bank == self.index:
                    own.append(position)
                elif not banks >> bundle.bank & 1:
                    banks |= 1 << bundle.bank
                    if vote is None:
                        vote = self._guard.sign(
                            HeaderVote(self._consensus.epoch, block.header.height, block.hash, self.index),
                            None,
                        )
                    turn.send(bundle.bank, vote)
                position += 1
        if own:
            turn.notify = True
        self._replies.executed(block, tuple(own), turn.token)

    def _header_vote(self, block: Block) -> HeaderVote:
        return HeaderVote(self._consensus.epoch, block.header.height, block.hash, self.index)

    # --- timers -----------------------------------------------------------------------------------------

    def _make_idle_checkpoint(self, turn: Turn) -> None:
        if self._executed_since_idle:
            self._executed_since_idle = False
            self._arm(turn, IDLE_TIMER, self._config.idle_us)
        else:
            self._carry_out(turn, self._replica.checkpoint_now())

    def _send_status(self, turn: Turn) -> None:
        """Tell the others what is here and what is missing, also when idle (then less often)."""
        self._status_count += 1
        message = self._replica.status_message()
        self._rejoining.progress(self.executed, self.stable)
        if (
            self._replica.in_flight
            or self._mempool.pending
            or not self._rejoining.is_over
            or self._status_count % IDLE_STATUS_EVERY == 0
        ):
            turn.send_at_once(ALL, message)
        if self._replica.own_view_change is not None:
            turn.send(ALL, self._replica.own_view_change)
        self._arm(turn, STATUS_TIMER, self._config.status_us)

    def _arm(self, turn: Turn, name: str, delay_us: int) -> None:
        generation = self._generations.get(name, 0) + 1
        self._generations[name] = generation
        self._armed.add(name)
        turn.timer(name, generation, max(1, delay_us))

    def _arm_once(self, turn: Turn, name: str, delay_us: int) -> None:
        if name not in self._armed:
            self._arm(turn, name, delay_us)

    def _cancel(self, turn: Turn, name: str) -> None:
        if name in self._armed:
            self._armed.discard(name)
            turn.timer(name, self._generations[name], None)

    # --- what drivers may read ---------------------------------------------------------------------------

    def wanted(self, what: Signed | Transaction) -> tuple[Check, ...]:
        """Return the checks this node wants made of a message or submission before it comes in; pure.

        The first of a message's is the sender's signature. No checks at all means that the sender is no
        member of this epoch: such a message is refused. A transaction's are those of all its signers.
        """
        if isinstance(what, Transaction):
            return self._intake.checks_of((what,))
        return self._intake.wanted(what)

    def status(self) -> NodeStatus:
        consensus = self._replica.status()
        return NodeStatus(
            identity=self.identity,
            index=self.index,
            height=self.tip.header.height,
            header_hash=self.tip.hash,
            state_root=self.tip.header.state_root,
            executed=consensus.executed,
            stable=consensus.stable,
            view=consensus.view,
            business_time_us=self._intake.business_time_us,
            requests_waiting=len(self._mempool.pending),
            waits_for=self._waits_for(consensus),
            is_recovering=not self._rejoining.is_over,
        )

    def _waits_for(self, consensus: ReplicaStatus) -> tuple[str, ...]:
        """Say in words what keeps this node from going on; nothing while nothing is asked of it."""
        names = self.membership.validators
        if self._halted:
            return (self._halted,)
        if not self._rejoining.is_over:
            return (self._rejoining.waits_for(self.executed),)
        if consensus.mode is Mode.VIEW_CHANGE:
            return (_view_change_text(consensus, names),)
        if not (self._mempool.pending or self._has_due_work() or self._replica.in_flight):
            return ()
        reasons = [
            f"sequence {slot.sequence} waits for {_wait_text(slot, names)}"
            for slot in consensus.open[:SLOTS_NAMED]
        ]
        if consensus.open and consensus.open[0].waits_for is Wait.PRE_PREPARE:
            left = sum(len(pending.left) for pending in self._mempool.pending.values())
            due = "due work" if self._has_due_work() else ""
            what = " and ".join(filter(None, (f"{left} request(s)" if left else "", due)))
            reasons.append(
                f"{what} not ordered by {names[consensus.primary]}, the primary of view {self._replica.view}"
            )
        return tuple(reasons)

    def certificate_of(self, sequence: int) -> Certificate | None:
        """Return the commit certificate of an executed slot."""
        slot = self._slots.get(sequence)
        return None if slot is None else slot[2]

    def certificates(self) -> dict[int, Certificate]:
        """Return the commit certificates of all executed slots, by sequence number."""
        return {sequence: slot[2] for sequence, slot in self._slots.items()}

    def _decided_slot(self, sequence: int) -> tuple[bytes, bytes | None, Certificate] | None:
        """Serve an executed slot to a bank that lacks it: digest, batch, commit certificate."""
        return self._slots.get(sequence)


def _view_change_text(consensus: ReplicaStatus, names: tuple[str, ...]) -> str:
    needed = consensus.quorum - len(consensus.view_changes)
    if needed <= 0:
        return f"view {consensus.view} waits for the NEW-VIEW (from {names[consensus.primary]})"
    missing = ", ".join(name for index, name in enumerate(names) if index not in consensus.view_changes)
    return f"view {consensus.view} waits for {needed} more VIEW-CHANGE (missing: {missing})"


def _own_positions(block: Block, batch: Batch, index: int) -> tuple[int, ...]:
    """Return which of a block's transactions came in bundles of bank `index`."""
    banks = [bundle.bank for bundle in batch.bundles for _ in bundle.transactions]
    return tuple(position for position in range(len(block.transactions)) if banks[position] == index)


def _wait_text(slot: SlotStatus, names: tuple[str, ...]) -> str:
    missing = ", ".join(names[index] for index in slot.missing)
    match slot.waits_for:
        case Wait.PREPARES | Wait.COMMITS:
            return f"{slot.needed} more {slot.waits_for} (missing: {missing})"
        case Wait.PRE_PREPARE | Wait.BODY:
            return f"{slot.waits_for} (from {missing})"
        case _:
            return str(slot.waits_for)
