"""The compiled ledger's state as bytes: a checked header, then the rows of each table in order.

It is written in the newest version and read in every version of `DECODERS`, each of which answers
the newest layout's rooms. Equal states give equal bytes.
"""

import zlib
from collections.abc import Callable, Mapping, Sequence

import numpy as np

from actors.ledger.assets import MarketAssets
from actors.ledger.compiled_views import amends_of, closed_of, orders_of, rows_of, told_of
from actors.ledger.errors import UnreadableLedgerError
from actors.ledger.kernel import memory
from actors.ledger.kernel.entries import move_pairs, move_rows, remember_keys
from actors.ledger.kernel.layout import (
    ACCOUNT_WORDS,
    ARRIVAL_WORDS,
    B_AVAILABLE,
    BALANCE_WORDS,
    D_NEXT,
    KEY_WORDS,
    M_FENCED,
    M_ID,
    M_SEQUENCE,
    NONE,
    O_AMEND,
    O_MARKET,
    ORDER_WORDS,
    S_ACCOUNTS,
    S_AMENDS,
    S_ARRIVALS,
    S_BALANCES,
    S_GENERATION,
    S_ORDERS,
    S_POSITION,
    S_SHARD,
    S_SHARDS,
    S_TOTALS,
    S_TRANSACTIONS,
    TOTAL_WORDS,
    TRANSACTION_WORDS,
    WORD,
    Tables,
    Words,
)
from actors.ledger.kernel.memory import keys_by_age

MAGIC = 0x4C4B_5246  # b"FRKL"
VERSION = 1
# Words of a row of each room: markets, accounts, balances, orders, amends, transactions, totals,
# keys, arrivals, and of each shard how far its transfers are over.
_WIDTHS = (
    3,
    ACCOUNT_WORDS,
    BALANCE_WORDS,
    ORDER_WORDS,
    3 + D_NEXT,
    TRANSACTION_WORDS,
    TOTAL_WORDS,
    KEY_WORDS,
    ARRIVAL_WORDS,
    2,
)
HEADER_DTYPE = np.dtype(
    [
        ("magic", "<u4"),
        ("version", "<u4"),
        ("checksum", "<u4"),  # CRC-32 of all that follows
        ("shard", "<u4"),
        ("shards", "<i8"),
        ("generation", "<i8"),
        ("position", "<i8"),
        ("counts", "<i8", (len(_WIDTHS),)),
        ("spare", "<i8", (2,)),
    ]
)
_CHECKED_FROM = 12


def encode(t: Tables) -> bytes:
    """Return the bytes of a ledger."""
    orders = orders_of(t)
    orders[:, O_AMEND] = NONE
    rooms = [
        t.markets[np.argsort(t.markets[:, M_ID])][:, [M_ID, M_SEQUENCE, M_FENCED]],
        told_of(t.accounts, 1),
        told_of(t.balances, B_AVAILABLE),
        orders,
        amends_of(t),
        rows_of(t.transactions),
        told_of(t.totals, 1),
        keys_by_age(t),
        rows_of(t.arrivals),
        closed_of(t),
    ]
    header = np.zeros(1, HEADER_DTYPE)
    header["magic"], header["version"] = MAGIC, VERSION
    header["shard"], header["shards"] = t.state[S_SHARD], t.state[S_SHARDS]
    header["generation"], header["position"] = t.state[S_GENERATION], t.state[S_POSITION]
    header["counts"] = [len(rows) for rows in rooms]
    body = b"".join(rows.tobytes() for rows in rooms)
    header["checksum"] = zlib.crc32(body, zlib.crc32(header.tobytes()[_CHECKED_FROM:]))
    return header.tobytes() + body


def _version_1(header: np.void, body: memoryview) -> list[Words]:
    counts = header["counts"].tolist()
    sizes = [count * width for count, width in zip(counts, _WIDTHS, strict=True)]
    if len(body) != sum(sizes) * WORD.itemsize:
        raise UnreadableLedgerError("snapshot's length does not match its counts")
    parts = np.split(np.frombuffer(body, WORD), np.cumsum(sizes)[:-1])
    return [
        part.reshape(count, width).copy()
        for part, count, width in zip(parts, counts, _WIDTHS, strict=True)
    ]


Decoders = Mapping[int, Callable[[np.void, memoryview], list[Words]]]
DECODERS: Decoders = {1: _version_1}


def decode(
    markets: Sequence[MarketAssets],
    data: bytes,
    *,
    shard: int,
    shards: int,
    key_memory: int,
    least: int,
    decoders: Decoders = DECODERS,
) -> Tables:
    """Return the tables of the ledger in `data`, with room for at least `least` of each.

    Raises UnreadableLedgerError.
    """
    header = _checked_header(data, shard, shards, decoders)
    rooms = decoders[int(header["version"])](header, memoryview(data)[HEADER_DTYPE.itemsize :])
    told, accounts, balances, orders, amends, transactions, totals, keys, *more = rooms
    arrivals, closed = more
    t = memory.allocate(
        markets,
        shard=shard,
        shards=shards,
        key_memory=key_memory,
        accounts=max(least, len(accounts) + 1),
        balances=max(least, len(balances) + 1),
        orders=max(least, len(orders) + 1),
        transactions=max(least, len(transactions) + 1),
        keys=max(least, min(len(keys), key_memory) + 1),
        amends=max(least, len(amends) + 1),
        totals=max(least, len(totals) + 1),
        arrivals=max(least, len(arrivals) + 1),
    )
    t.state[S_GENERATION], t.state[S_POSITION] = header["generation"], header["position"]
    by_id = {market_id: row for row, market_id in enumerate(t.markets[:, M_ID].tolist())}
    missing = set(told[:, 0].tolist()) - by_id.keys()
    if missing:
        raise UnreadableLedgerError(f"snapshot has market {min(missing)}, which there is no more")
    t.markets[[by_id[one] for one in told[:, 0].tolist()], M_SEQUENCE:] = told[:, 1:]
    orders[:, O_MARKET] = [by_id[one] + 1 for one in orders[:, O_MARKET].tolist()]
    _link_amends(t, orders, amends, by_id)
    for rows, table, move in (
        (accounts, t.accounts, move_rows),
        (balances, t.balances, move_pairs),
        (orders, t.orders, move_pairs),
        (transactions, t.transactions, move_rows),
        (totals, t.totals, move_rows),
        (arrivals, t.arrivals, move_pairs),
    ):
        move(rows, table)
    used = {S_ACCOUNTS: accounts, S_BALANCES: balances, S_ORDERS: orders, S_AMENDS: amends}
    used |= {S_TRANSACTIONS: transactions, S_TOTALS: totals, S_ARRIVALS: arrivals}
    t.closed[closed[:, 0]] = closed[:, 1]
    for word, rows in used.items():
        t.state[word] = len(rows)
    remember_keys(t, keys[len(keys) - min(len(keys), key_memory) :].copy())
    return t


def _link_amends(t: Tables, orders: Words, amends: Words, by_id: Mapping[int, int]) -> None:
    """Put amends, which come in the order of their lists, behind each other and their orders."""
    places = {(int(one[O_MARKET]), int(one[0])): place for place, one in enumerate(orders)}
    for row, (market_id, order_id, place, *words) in enumerate(amends.tolist()):
        t.amends[row] = [*words, NONE]
        if place == 0:
            orders[places[by_id[market_id] + 1, order_id], O_AMEND] = row
        else:
            t.amends[row - 1, D_NEXT] = row


def _checked_header(data: bytes, shard: int, shards: int, decoders: Decoders) -> np.void:
    if len(data) < HEADER_DTYPE.itemsize:
        raise UnreadableLedgerError("snapshot is shorter than its header")
    header: np.void = np.frombuffer(data, HEADER_DTYPE, count=1)[0]
    if header["magic"] != MAGIC:
        raise UnreadableLedgerError("snapshot does not start with the magic of a ledger")
    if header["version"] not in decoders:
        known = ", ".join(map(str, sorted(decoders)))
        raise UnreadableLedgerError(
            f"snapshot has version {header['version']}, this build reads {known}"
        )
    if header["checksum"] != zlib.crc32(memoryview(data)[_CHECKED_FROM:]):
        raise UnreadableLedgerError("the snapshot's checksum does not match its content")
    if (header["shard"], header["shards"]) != (shard, shards):
        raise UnreadableLedgerError(
            f"snapshot is of shard {header['shard']} of {header['shards']}, not {shard} of {shards}"
        )
    return header
