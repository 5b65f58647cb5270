"""What the intakes of all followers share: positions that move."""

from collections.abc import Mapping

from actors.follow.positions import MarketPosition


class Reached:
    """How far one market has been taken in; the fields are those of `MarketPosition`.

    It moves with every record: a new position for each would cost more than all the rest.
    """

    __slots__ = ("commands_offset", "last_sequence", "market_id", "next_offset")

    def __init__(self, position: MarketPosition) -> None:
        self.market_id = position.market_id
        self.next_offset = position.next_offset
        self.last_sequence = position.last_sequence
        self.commands_offset = position.commands_offset

    def position(self) -> MarketPosition:
        """Return the position as it is now."""
        return MarketPosition(
            market_id=self.market_id,
            next_offset=self.next_offset,
            last_sequence=self.last_sequence,
            commands_offset=self.commands_offset,
        )


def moved(
    taken: Mapping[int, MarketPosition], reached: Mapping[int, Reached]
) -> dict[int, MarketPosition]:
    """Return by market id the positions that are no longer those that were taken."""
    now = {market_id: one.position() for market_id, one in reached.items()}
    return {
        market_id: position for market_id, position in now.items() if position != taken[market_id]
    }
