"""One client's bounded way out: what may be conflated waits aside, what may not has a limit.

Engine.IO puts no bound on a client's queue (python-engineio#133), so the hub puts packets there
itself. A client that reads too slowly gets the newest book only, the newest state of each candle,
and one merged change of the depth; a client that leaves more trades and orders unread than its
bound is cut.
"""

from engineio.packet import NOOP, Packet

from actors.platform.messages import DepthChange, LevelRow
from api.exchange.decimals import MarketDecimals
from api.hub.messages import depth_update
from api.hub.packets import Batch, event_packet
from api.hub.transport import HubSocket

# Twice what a room tells at once of an interval, but for a message of as many seconds.
NEWEST_MAX = 1_200


# A pair, and what of it: the book, or an interval and when a window of it opened.
Key = tuple[str | int, ...]


class MergedDepth:
    """Changes of one pair's depth that follow each other, as one change."""

    def __init__(self, change: DepthChange) -> None:
        self._change = change
        self._bids = {row[0]: row for row in change.bids}
        self._asks = {row[0]: row for row in change.asks}

    def __len__(self) -> int:
        return len(self._bids) + len(self._asks)

    def add(self, change: DepthChange) -> bool:
        """Take the next change in; False where it does not continue the last one."""
        if change.previous_update_id != self._change.last_update_id:
            return False
        self._bids.update({row[0]: row for row in change.bids})
        self._asks.update({row[0]: row for row in change.asks})
        self._change = DepthChange(
            market_id=change.market_id,
            sequence=change.sequence,
            previous_update_id=self._change.previous_update_id,
            last_update_id=change.last_update_id,
            bids=[],
            asks=[],
        )
        return True

    def change(self) -> DepthChange:
        """Return all of them as one: each level as it stands after the last."""
        return DepthChange(
            market_id=self._change.market_id,
            sequence=self._change.sequence,
            previous_update_id=self._change.previous_update_id,
            last_update_id=self._change.last_update_id,
            bids=_rows(self._bids),
            asks=_rows(self._asks),
        )


class Client:
    """What one client has been sent and has not read yet, at most `bound` packets.

    Packets that may be conflated wait aside as soon as half of the bound is used, so that
    trades and orders always find room before them.
    """

    def __init__(self, *, sid: str, socket: HubSocket, bound: int, levels_max: int) -> None:
        self.sid = sid
        self._socket = socket
        self._bound = bound
        self._soft_bound = bound // 2
        self._levels_max = levels_max
        self._newest: dict[Key, Packet] = {}
        self._merged: dict[MarketDecimals, MergedDepth] = {}
        # How long others have waited for this client since it last kept up.
        self.stalled_s = 0.0

    @property
    def full(self) -> bool:
        """Say whether nothing more fits."""
        return self._waiting >= self._bound

    @property
    def lags(self) -> bool:
        """Say whether something waits aside."""
        return bool(self._newest or self._merged)

    @property
    def lags_too_far(self) -> bool:
        """Say whether more candles wait aside than a client may keep waiting."""
        return len(self._newest) > NEWEST_MAX

    def send(self, batch: Batch) -> bool:
        """Send packets that must not be lost, all or, where they do not fit, none."""
        queue = self._socket.queue
        if queue.is_attached and queue.write(batch.frames):
            self.stalled_s = 0.0
            return True
        if self._waiting + len(batch) > self._bound:
            return False
        for packet in batch.packets:
            queue.put_nowait(packet)
        if self._waiting < self._soft_bound:
            self.stalled_s = 0.0
        return True

    def send_newest(self, key: Key, packet: Packet) -> None:
        """Queue a packet that replaces the one before it of the same key, and overtakes none."""
        if self._newest or self._busy:
            self._newest[key] = packet
        else:
            self._socket.queue.put_nowait(packet)

    def send_depth(self, units: MarketDecimals, change: DepthChange, packet: Packet) -> bool:
        """Queue a change of the depth, or merge it with those that wait.

        False where more levels have gathered than a client may keep waiting.
        """
        waiting = self._merged.get(units)
        if waiting is None and not self._busy:
            self._socket.queue.put_nowait(packet)
            return True
        # After a gap only the newest part is of use: the client sees that ids are missing.
        if waiting is None or not waiting.add(change):
            waiting = self._merged[units] = MergedDepth(change)
        return len(waiting) <= self._levels_max

    def flush(self) -> None:
        """Queue what waits aside, as far as there is room now."""
        while self._merged and not self._busy:
            units, merged = self._merged.popitem()
            change = depth_update(units, merged.change())
            self._socket.queue.put_nowait(event_packet("orderbook_update", change))
        while self._newest and not self._busy:
            key = next(iter(self._newest))
            self._socket.queue.put_nowait(self._newest.pop(key))

    def forget(self, units: MarketDecimals, *, but: str | None = None) -> None:
        """Drop what waits aside of one pair, except for the candles of the interval `but`."""
        self._merged.pop(units, None)
        self._newest = {
            key: packet
            for key, packet in self._newest.items()
            if key[0] != units.market.pair or key[1] == but
        }

    def release(self) -> None:
        """End the poll that a client which has left may still have open."""
        self._socket.queue.put_nowait(Packet(NOOP))

    async def cut(self) -> None:
        """Disconnect at once, without waiting for what the client has not read."""
        self._newest.clear()
        self._merged.clear()
        await self._socket.cut()

    @property
    def _busy(self) -> bool:
        return self._waiting >= self._soft_bound

    @property
    def _waiting(self) -> int:
        return int(self._socket.queue.qsize())


def _rows(levels: dict[int, LevelRow]) -> list[LevelRow]:
    return [levels[price] for price in sorted(levels)]
