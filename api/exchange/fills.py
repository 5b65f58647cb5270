"""What a user's orders have traded."""

import re

from actors.book.market import INT64_MAX, Market
from api.asgi.errors import InvalidRequestError
from api.exchange.decimals import MarketUnits
from api.exchange.storage.fills import FillPosition, FillsRepository
from api.rest.views import FillView, fill_view, market_id_of, trade_id_of, trade_id_text

_CURSOR = re.compile(r"([0-9]{1,18})-([0-9]{1,19})-([mt])", re.ASCII)


class Fills:
    """List fills. Everything may raise ApiError and ForkastError."""

    def __init__(self, *, markets: dict[str, MarketUnits], fills: FillsRepository) -> None:
        self._units = {units.market.market_id: units for units in markets.values()}
        self._fills = fills

    async def page(
        self, *, user_id: int, market: Market | None, limit: int, cursor: str | None
    ) -> tuple[list[FillView], str | None]:
        """Return fills, newest first, and the cursor of the next page where there may be one."""
        found = await self._fills.page(
            user_id=user_id,
            market_ids=list(self._units) if market is None else [market.market_id],
            limit=limit,
            after=None if cursor is None else _position(cursor),
        )
        views = [fill_view(self._units[one.market_id], one) for one in found]
        return views, _cursor(FillPosition.of(found[-1])) if len(found) == limit else None


def _cursor(position: FillPosition) -> str:
    trade = trade_id_text(position.market_id, position.trade_id)
    return f"{position.time_us}-{trade}-{'m' if position.is_maker else 't'}"


def _position(cursor: str) -> FillPosition:
    """Return what `_cursor` has written. Raises InvalidRequestError."""
    match = _CURSOR.fullmatch(cursor)
    if match is None or int(match[2]) > INT64_MAX:
        raise InvalidRequestError("MALFORMED", "cursor must be the nextCursor of a page.")
    return FillPosition(
        time_us=int(match[1]),
        market_id=market_id_of(int(match[2])),
        trade_id=trade_id_of(int(match[2])),
        is_maker=match[3] == "m",
    )
