"""What a restarted replica starts from, put in order from the records of its log (pbft.md A.8).

Only what lies above the highest stable checkpoint counts. Own votes are not listed: the replica takes the
same steps again, and whoever signs for it gives the identical signature for the identical vote.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field

from consortium.certificate import Certificate
from consortium.consensus.messages import Checkpoint, NewView, PrePrepare, Signed, ViewChange
from consortium.consensus.output import Committed, Prepared, Record

RESTORED = -2
"""The STATUS period in which restored slots were opened: they are overdue, so peers are asked at once."""


@dataclass(slots=True)
class Remembered:
    """The past of one replica."""

    stable: Certificate | None = None
    results: tuple[int, int, bytes, bytes] | None = None
    """Of the sequence number executed last: (sequence, height, header hash, state root)."""
    decided: tuple[Committed, ...] = ()
    """Executed slots above the stable checkpoint."""
    pre_prepares: dict[int, Signed] = field(default_factory=dict)
    """The accepted ones of the highest view, by sequence number."""
    prepared: dict[int, Prepared] = field(default_factory=dict)
    """The prepared certificates of the highest view, by sequence number."""
    bodies: dict[int, dict[bytes, bytes]] = field(default_factory=dict)
    """The batches of accepted pre-prepares of all views, by sequence number and digest."""
    checkpoints: dict[int, Signed] = field(default_factory=dict)
    """Our own, by sequence number."""
    new_view: Signed | None = None
    """The NEW-VIEW of the view entered last; None in view 0."""
    view_change: Signed | None = None
    """Our own VIEW-CHANGE for the highest view that was asked for."""

    @property
    def low(self) -> int:
        return 0 if self.stable is None else int(self.stable.fields[0])


def remember(
    records: Iterable[Record],
    index: int,
    *,
    stable: Certificate | None,
    results: tuple[int, int, bytes, bytes] | None,
    decided: Iterable[Committed],
) -> Remembered:
    """Sort the records of replica `index`, oldest first."""
    past = Remembered(stable, results)
    past.decided = tuple(each for each in decided if each.sequence > past.low)
    for record in records:
        if isinstance(record, Prepared):
            _keep_newer(past.prepared, past.low, record.pre_prepare, record)
        elif isinstance(record, Signed):
            content = record.content
            if isinstance(content, PrePrepare):
                _keep_newer(past.pre_prepares, past.low, record, record)
                if record.attachment is not None:
                    past.bodies.setdefault(content.sequence, {})[content.digest] = record.attachment
            elif isinstance(content, NewView):
                past.new_view = record
            elif isinstance(content, ViewChange) and content.sender == index:
                past.view_change = record
            elif isinstance(content, Checkpoint) and content.sender == index and content.sequence > past.low:
                past.checkpoints[content.sequence] = record
    for sequence, prepared in past.prepared.items():
        header = prepared.pre_prepare
        assert isinstance(header.content, PrePrepare)
        body = past.bodies.get(sequence, {}).get(header.content.digest)
        if body is not None:
            past.prepared[sequence] = Prepared(header.with_attachment(body), prepared.votes)
    return past


def _keep_newer(kept: dict, low: int, pre_prepare: Signed, record: Signed | Prepared) -> None:  # type: ignore[type-arg]
    """Keep the record of the highest view for each sequence number."""
    content = pre_prepare.content
    assert isinstance(content, PrePrepare)
    before = kept.get(content.sequence)
    if before is not None:
        held = (before.pre_prepare if isinstance(before, Prepared) else before).content
        assert isinstance(held, PrePrepare)
        if held.view > content.view:
            return
    if content.sequence > low:
        kept[content.sequence] = record
