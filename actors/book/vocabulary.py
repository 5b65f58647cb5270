"""Words of the field as small integers, the same in commands, events and storage.

The numbers are part of the log's format: they may be added to, never changed.
"""

from enum import IntEnum, IntFlag


class Side(IntEnum):
    BUY = 1
    SELL = 2


class OrderType(IntEnum):
    LIMIT = 1
    MARKET = 2


class TimeInForce(IntEnum):
    GTC = 1
    IOC = 2
    FOK = 3
    GTD = 4


class SelfTradePrevention(IntEnum):
    NONE = 0
    EXPIRE_TAKER = 1
    EXPIRE_MAKER = 2
    EXPIRE_BOTH = 3
    DECREMENT = 4


class CommandKind(IntEnum):
    """MALFORMED stands for a record that could not be decoded: it is refused, never skipped.

    FENCE shuts out commands that an older generation of an account shard has stamped.
    """

    MALFORMED = 0
    PLACE = 1
    CANCEL = 2
    AMEND = 3
    CANCEL_ALL = 4
    HALT = 5
    RESUME = 6
    CLOCK = 7
    FENCE = 8


class EventKind(IntEnum):
    """TRADE is a fill, with the maker's image after it; ORDER is an order's image.

    FENCE names a shard's newest generation, known to the book from this sequence on.
    """

    TRADE = 1
    ORDER = 2
    REFUSED = 3
    MARKET = 4
    DONE = 5
    FENCE = 6


class OrderStatus(IntEnum):
    OPEN = 1
    PARTIALLY_FILLED = 2
    FILLED = 3
    CANCELLED = 4
    REJECTED = 5
    EXPIRED = 6


class MarketStatus(IntEnum):
    TRADING = 1
    HALTED = 2


class Flag(IntFlag):
    """POST_ONLY belongs to the order; LAST and NEW belong to one event.

    LAST marks the event that ends the answer to a command, NEW the first image of an order.
    """

    POST_ONLY = 1
    LAST = 2
    NEW = 4
