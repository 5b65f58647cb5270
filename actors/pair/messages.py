"""Messages between a pair's actor and those who call it: ranges, answers, positions.

Requests have a tag, by which the actor knows them apart on its stream.
"""

import msgspec


class Position(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """Where a pair stands: the log offset that it needs next and its last sequence."""

    next_offset: int
    sequence: int


class Fingerprint(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """A pair's whole state at one moment, for comparison with a fold of its log."""

    next_offset: int
    sequence: int
    open_orders: int
    state_hash: int


class RangeRefused(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """A range that does not continue the pair's position; `needed_offset` would."""

    needed_offset: int


class RangeApplied(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """What a range of the log did to a pair.

    `events` and `levels` are the bytes of `EVENT_DTYPE` and `LEVEL_DTYPE` arrays. A range that the
    pair had applied before is answered with `repeated` set and nothing else but its position. The
    last three say how the pair stands after the range, as its `stats` would.
    """

    next_offset: int
    first_sequence: int
    last_sequence: int
    previous_update_id: int
    last_update_id: int
    next_expiry_us: int
    commands: int
    repeated: bool
    events: bytes
    levels: bytes
    open_orders: int = 0
    last_price_ticks: int = 0
    halted: bool = False


class RangeRequest(msgspec.Struct, frozen=True, array_like=True, gc=False, tag=1):
    """All that a router asks of a pair in one call: one call costs more than what it carries.

    It is for `pair`. Events of commands before `acknowledged` are in Kafka. Where `depth_levels` is
    not 0, the depth after the range is wanted too, with that many levels a side and with
    `depth_top`.
    """

    pair: str
    first_offset: int
    next_offset: int
    acknowledged: int
    depth_levels: int
    depth_top: int
    values: list[bytes]


class PositionRequest(msgspec.Struct, frozen=True, array_like=True, gc=False, tag=2):
    """Where does the pair stand? The answer is a `Position`."""

    pair: str


class RewindRequest(msgspec.Struct, frozen=True, array_like=True, gc=False, tag=3):
    """Go back to the last snapshot. The answer is the `Position` there."""

    pair: str


class AcknowledgeRequest(msgspec.Struct, frozen=True, array_like=True, gc=False, tag=4):
    """Events of commands before `next_offset` are in Kafka. The answer is None."""

    pair: str
    next_offset: int


class DepthRequest(msgspec.Struct, frozen=True, array_like=True, gc=False, tag=5):
    """Show the depth twice, with `limit` and with `top` levels a side.

    The answer is two MessagePack `DepthSnapshot`s.
    """

    pair: str
    limit: int
    top: int


class StatsRequest(msgspec.Struct, frozen=True, array_like=True, gc=False, tag=6):
    """Count; the answer is as that of `PairActor.stats`."""

    pair: str


PairRequest = (
    RangeRequest
    | PositionRequest
    | RewindRequest
    | AcknowledgeRequest
    | DepthRequest
    | StatsRequest
)


class RangeAnswer(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """Either the range was applied or it was refused; depths are MessagePack `DepthSnapshot`s."""

    applied: RangeApplied | None
    refused: RangeRefused | None
    depth: bytes
    depth_top: bytes
