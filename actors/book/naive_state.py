"""State, state hash and snapshot of the naive book (docs/matching.md, "State hash").

Its snapshot has no version: it is never stored, and the build that made it reads it.
"""

import hashlib
import json
from bisect import insort
from collections.abc import Iterable, Iterator
from dataclasses import astuple
from typing import Any, Self

import numpy as np

from actors.book.market import Market
from actors.book.naive_orders import NaiveClientIds, NaiveOrder, NaiveSide
from actors.book.reasons import Reason
from actors.book.records import EVENT_DTYPE, LEVEL_DTYPE, RecordArray
from actors.book.vocabulary import EventKind, OrderStatus, Side

EventRow = tuple[object, ...]

_MASK = 2**64 - 1
_HALF = 2**32 - 1
_GOLDEN = 0x9E3779B97F4A7C15
_DIGEST_BYTES = 32


class DamagedSnapshotError(ValueError):
    """A snapshot's bytes are not those that were written, or belong to another market."""


def hash_words(words: Iterable[int]) -> int:
    """Fold words into 64 bits with the finalizer of splitmix64 (Vigna)."""
    h = 0
    for word in words:
        h = ((h + _GOLDEN) & _MASK) ^ (word & _MASK)
        h ^= h >> 30
        h = h * 0xBF58476D1CE4E5B9 & _MASK
        h ^= h >> 27
        h = h * 0x94D049BB133111EB & _MASK
        h ^= h >> 31
    return h


def seal(state: dict[str, Any]) -> bytes:
    """Return a state as JSON behind its SHA-256."""
    body = json.dumps(state, separators=(",", ":")).encode()
    return hashlib.sha256(body).digest() + body


def unseal(data: bytes) -> dict[str, Any]:
    """Return what `seal` sealed. Raises DamagedSnapshotError."""
    digest, body = data[:_DIGEST_BYTES], data[_DIGEST_BYTES:]
    if hashlib.sha256(body).digest() != digest:
        raise DamagedSnapshotError("the snapshot's checksum does not match its content")
    state: dict[str, Any] = json.loads(body)
    return state


class NaiveState:
    """What a naive book holds, and every way to look at it."""

    def __init__(self, market: Market) -> None:
        self._market = market
        self._sequence = 0
        self._update_id = 0
        self._last_trade_id = 0
        self._time_us = 0
        self._halted = False
        self._sides = {Side.BUY: NaiveSide(Side.BUY), Side.SELL: NaiveSide(Side.SELL)}
        self._open: dict[int, NaiveOrder] = {}
        self._of_user: dict[int, dict[int, NaiveOrder]] = {}
        self._expiries: list[tuple[int, int]] = []
        self._client_ids = NaiveClientIds(market.client_id_memory)
        self._fences: dict[int, int] = {}

    @property
    def market(self) -> Market:
        return self._market

    @property
    def sequence(self) -> int:
        return self._sequence

    @property
    def update_id(self) -> int:
        return self._update_id

    @property
    def last_trade_id(self) -> int:
        return self._last_trade_id

    @property
    def time_us(self) -> int:
        return self._time_us

    @property
    def halted(self) -> bool:
        return self._halted

    @property
    def open_orders(self) -> int:
        return len(self._open)

    def depth(self, limit: int) -> tuple[RecordArray, RecordArray]:
        """Return bids and asks (`LEVEL_DTYPE`), best first, at most `limit` levels a side."""
        bids, asks = (
            np.array(
                [side.level(price) for price in list(side.prices_by_priority())[:limit]],
                LEVEL_DTYPE,
            )
            for side in self._sides.values()
        )
        return bids, asks

    def orders(self, limit: int) -> tuple[RecordArray, RecordArray]:
        """Return bids' and asks' order images (`EVENT_DTYPE`), in priority, `limit` each."""
        bids, asks = (
            np.array(
                [
                    self._image(order, status=order.open_status)
                    for order in list(side.by_priority())[:limit]
                ],
                EVENT_DTYPE,
            )
            for side in self._sides.values()
        )
        return bids, asks

    def next_expiry_us(self) -> int:
        """Return the earliest expiry among open orders, 0 where none waits for one."""
        return self._expiries[0][0] if self._expiries else 0

    def state_hash(self) -> int:
        """Return the 64-bit hash of the book's whole state (docs/matching.md)."""
        return hash_words(self._state_words())

    def snapshot(self) -> bytes:
        """Return the state as JSON behind its checksum; `restore` reads it."""
        return seal(
            {
                "market_id": self._market.market_id,
                "sequence": self._sequence,
                "update_id": self._update_id,
                "last_trade_id": self._last_trade_id,
                "time_us": self._time_us,
                "halted": self._halted,
                "bids": [astuple(order) for order in self._sides[Side.BUY].by_priority()],
                "asks": [astuple(order) for order in self._sides[Side.SELL].by_priority()],
                "of_user": [list(orders) for orders in self._of_user.values()],
                "finished": list(self._client_ids.finished),
                "fences": sorted(self._fences.items()),
            }
        )

    @classmethod
    def restore(cls, market: Market, data: bytes) -> Self:
        """Return the book that `snapshot` described.

        Raises DamagedSnapshotError for bytes that were changed or belong to another market.
        """
        state = unseal(data)
        if state["market_id"] != market.market_id:
            raise DamagedSnapshotError(f"the snapshot is of market {state['market_id']}")
        book = cls(market)
        book._sequence = state["sequence"]
        book._update_id = state["update_id"]
        book._last_trade_id = state["last_trade_id"]
        book._time_us = state["time_us"]
        book._halted = state["halted"]
        book._fences = dict(state["fences"])
        for fields in state["bids"] + state["asks"]:
            order = NaiveOrder(*fields)
            order.client_order_id = tuple(order.client_order_id)
            book._sides[Side(order.side)].add(order)
            book._open[order.order_id] = order
            book._client_ids.take(order)
            if order.expires_us:
                insort(book._expiries, (order.expires_us, order.order_id))
        for order_ids in state["of_user"]:
            orders = {order_id: book._open[order_id] for order_id in order_ids}
            book._of_user[next(iter(orders.values())).user_id] = orders
        book._client_ids.restore(
            [((user, tuple(words)), order_id) for (user, words), order_id in state["finished"]]
        )
        return book

    def _state_words(self) -> Iterator[int]:
        yield self._time_us
        yield self._sequence
        yield self._last_trade_id
        yield self._update_id
        yield int(self._halted)
        for side in self._sides.values():
            for o in side.by_priority():
                yield from (o.order_id, o.user_id, o.price_ticks, o.quantity_lots)
                yield from (o.filled_lots, o.notional, o.expires_us, o.created_us)
                yield (
                    o.side
                    | o.order_type << 8
                    | o.time_in_force << 16
                    | o.self_trade_prevention << 24
                    | o.flags << 32
                )
                yield from o.client_order_id
                later = _later_words(o)
                if any(later):
                    yield from later
        for (user_id, _), order_id in self._client_ids.finished:
            yield user_id
            yield order_id
        for shard, generation in sorted(self._fences.items()):
            yield shard
            yield generation
        yield len(self._open)

    def _image(
        self,
        order: NaiveOrder,
        *,
        status: OrderStatus,
        sequence: int = 0,
        kind: EventKind = EventKind.ORDER,
        reason: Reason = Reason.NONE,
        flags: int = 0,
        command_id: int = 0,
        trade_id: int = 0,
        trade_lots: int = 0,
        related_order_id: int = 0,
        related_user_id: int = 0,
        related_fee: int = 0,
    ) -> EventRow:
        return (
            kind,
            status,
            order.side,
            order.order_type,
            order.time_in_force,
            order.self_trade_prevention,
            order.flags | flags,
            0,
            reason,
            self._market.market_id,
            sequence,
            self._time_us,
            order.order_id,
            order.user_id,
            order.price_ticks,
            order.quantity_lots,
            order.filled_lots,
            order.notional,
            order.expires_us,
            order.quote_units,
            order.created_us,
            command_id,
            trade_id,
            trade_lots,
            related_order_id,
            related_user_id,
            order.client_order_id,
            order.budget,
            order.trigger_ticks,
            order.display_lots,
            order.list_id,
            order.generation,
            order.maker_fee,
            order.taker_fee,
            order.trail_bps,
            order.trigger,
            order.leg,
            order.shard,
            related_fee,
            0,
            0,
        )


def _later_words(order: NaiveOrder) -> tuple[int, ...]:
    """Return what version 2 of the records added to an order, packed as they pack it."""
    return (
        order.budget,
        order.trigger_ticks,
        order.display_lots,
        order.list_id,
        order.generation,
        order.maker_fee & _HALF | (order.taker_fee & _HALF) << 32,
        order.trail_bps | order.trigger << 32 | order.leg << 40 | order.shard << 48,
    )
