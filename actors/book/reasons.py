"""Reasons why an order was refused or ended: a stable code and a sentence for each.

Codes are grouped by area: 1xx the command itself, 2xx the market, 3xx the book,
4xx why an order left the book. They are stored and must never change.
"""

from enum import IntEnum


class Reason(IntEnum):
    NONE = 0

    MALFORMED = 101
    NOT_POSITIVE = 102
    OFF_TICK = 103
    OFF_LOT = 104
    BELOW_MINIMUM_NOTIONAL = 105
    ABOVE_MAXIMUM = 106
    EXPIRED = 107
    DUPLICATE_ORDER_ID = 108
    DUPLICATE_CLIENT_ORDER_ID = 109
    QUANTITY_BELOW_FILLED = 110

    UNKNOWN_MARKET = 201
    HALTED = 202

    WOULD_CROSS = 301
    NOT_ENOUGH_TO_FILL = 302
    UNKNOWN_ORDER = 303
    NOT_OWNER = 304
    FENCED = 305

    CANCELLED_BY_USER = 401
    UNFILLED_REMAINDER = 402
    NO_LIQUIDITY = 403
    PROTECTION_PRICE = 404
    SELF_TRADE = 405
    TIME_EXPIRED = 406
    LOST_WITH_LOG = 407
    BUDGET_SPENT = 408


SENTENCES: dict[Reason, str] = {
    Reason.NONE: "",
    Reason.MALFORMED: "The command is not well formed.",
    Reason.NOT_POSITIVE: "Price, quantity and quote amount must be greater than zero.",
    Reason.OFF_TICK: "The price is not a multiple of the market's tick size.",
    Reason.OFF_LOT: "The quantity is not a multiple of the market's lot size.",
    Reason.BELOW_MINIMUM_NOTIONAL: "The order's value is below the market's minimum notional.",
    Reason.ABOVE_MAXIMUM: "The price or the quantity is above the market's maximum.",
    Reason.EXPIRED: "The order's expiry time has already passed.",
    Reason.DUPLICATE_ORDER_ID: "The market already holds an order with this id.",
    Reason.DUPLICATE_CLIENT_ORDER_ID: "This client order id was used before; see the first order.",
    Reason.QUANTITY_BELOW_FILLED: "The new quantity is not above what has been filled already.",
    Reason.UNKNOWN_MARKET: "There is no such trading pair.",
    Reason.HALTED: "The market is halted: only cancels are taken.",
    Reason.WOULD_CROSS: "The post-only order would have traded at once.",
    Reason.NOT_ENOUGH_TO_FILL: "The book cannot fill the whole order at once.",
    Reason.UNKNOWN_ORDER: "The market holds no open order with this id.",
    Reason.NOT_OWNER: "The order belongs to another user.",
    Reason.FENCED: "A newer owner of the user's account has shut out the one that sent this.",
    Reason.CANCELLED_BY_USER: "Cancelled on request.",
    Reason.UNFILLED_REMAINDER: "What could not be filled at once was cancelled.",
    Reason.NO_LIQUIDITY: "The book had nothing left to trade against.",
    Reason.PROTECTION_PRICE: "The next price lay beyond the market's protection price.",
    Reason.SELF_TRADE: "Self-trade prevention kept the user from trading with themselves.",
    Reason.TIME_EXPIRED: "The order reached its expiry time.",
    Reason.LOST_WITH_LOG: "The order had ended; how was lost with the log.",
    Reason.BUDGET_SPENT: "What the order might spend or sell at most does not pay for more.",
}
