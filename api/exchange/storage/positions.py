"""How far the rows have come, and the numbers that keep the ids of two gateways apart."""

from actors.follow.positions import MarketPosition, read_positions
from actors.writer.writer import CONSUMER as WRITER
from api.exchange.storage.database import Database


class PositionsRepository:
    """The writer's positions. Everything may raise StorageUnavailableError."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def commands_offsets(self) -> dict[int, int]:
        """Return by market id the offset in `orders.new` before which all is in the tables.

        A market that the writer has not met yet is missing.
        """
        positions = await read_positions(self._database, WRITER)
        return {market_id: at.commands_offset for market_id, at in positions.items()}

    async def written(self) -> list[MarketPosition]:
        """Return up to where in `orders.updated` all is in the tables, market by market."""
        return list((await read_positions(self._database, WRITER)).values())


async def lease_worker_number(database: Database) -> int:
    """Return a number from 0 to 1023 that no other running producer of commands has.

    The sequence starts over after 1,024 leases: a process older than that many others would
    share its number. Raises StorageUnavailableError.
    """
    rows = await database.fetch("SELECT nextval('gateway_worker') AS number")
    number: int = rows[0]["number"]
    return number
