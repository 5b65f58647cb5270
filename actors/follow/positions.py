"""How far a follower of the log has come, market by market."""

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True, slots=True)
class MarketPosition:
    """How far one market is written; a row of `consumer_positions`.

    `next_offset` counts records of `orders.updated`; `commands_offset` is the offset in
    `orders.new` up to which every command is reflected in the rows.
    """

    market_id: int
    next_offset: int = 0
    last_sequence: int = 0
    commands_offset: int = 0
