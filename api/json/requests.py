"""Bodies and messages that clients send, decoded exactly: wrong types and names are refused."""

import re
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Annotated, Any, Literal, TypeVar

import msgspec
from msgspec import Meta

from actors.book.market import INT64_MAX
from api.exchange.refusals import malformed
from api.json.numbers import Number, exact, number_hook, whole_number

_T = TypeVar("_T")

SideWord = Literal["BUY", "SELL"]
OrderTypeWord = Literal["LIMIT", "MARKET"]
TimeInForceWord = Literal["GTC", "IOC", "FOK", "GTD"]
PreventionWord = Literal["NONE", "EXPIRE_TAKER", "EXPIRE_MAKER", "EXPIRE_BOTH", "DECREMENT"]

_AMOUNT = "A decimal, as JSON number or text, at most 8 decimals. Taken exactly."
AmountIn = Annotated[Number, Meta(description=_AMOUNT, examples=["0.1"])]
UserIdIn = Annotated[int | str, Meta(description="A number, or its text.", examples=[1])]

USER_NAME_CHARACTERS = 100
_CLIENT_ORDER_ID = re.compile(r"[!-~]{1,36}", re.ASCII)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_YEAR_9999_MS = 253_402_300_799_000


class _Request(msgspec.Struct, kw_only=True, rename="camel", forbid_unknown_fields=True, gc=False):
    """Base: camel case on the wire, and no field that is not named."""


class PlaceOrder(_Request):
    """An order to be placed."""

    trading_pair: Annotated[str, Meta(examples=["BTC-USD"])]
    type: SideWord
    user_id: UserIdIn
    price: Annotated[AmountIn | None, Meta(description="For limit orders.")] = None
    quantity: Annotated[
        AmountIn | None,
        Meta(description="For limit orders, and market orders without quoteQuantity."),
    ] = None
    order_type: OrderTypeWord | None = None
    time_in_force: Annotated[
        TimeInForceWord | None,
        Meta(description="GTC unless said; GTD where expiresAt is given; IOC for MARKET."),
    ] = None
    post_only: Annotated[
        bool | None, Meta(description="Rejected where it would trade at once.")
    ] = None
    quote_quantity: Annotated[
        AmountIn | None,
        Meta(description="How much quote currency a market order may spend or earn."),
    ] = None
    expires_at: Annotated[
        int | str | None,
        Meta(description="Milliseconds since 1970, or ISO 8601 with a time zone."),
    ] = None
    self_trade_prevention: PreventionWord | None = None
    client_order_id: Annotated[
        str | None,
        Meta(
            description="1 to 36 printable ASCII characters. The same id again is answered with "
            "the first order and never trades twice; with another side, type, price or quantity "
            "it is refused."
        ),
    ] = None


class PlaceOrders(_Request):
    """Many orders; a bare array of them is taken too."""

    orders: list[PlaceOrder]


class AmendOrder(_Request):
    """What of an order changes. Less quantity keeps its place in the queue."""

    price: AmountIn | None = None
    quantity: Annotated[AmountIn | None, Meta(description="The new total quantity.")] = None
    user_id: Annotated[
        UserIdIn | None,
        Meta(description="Whose order it must be; not checked where it is left out."),
    ] = None


class Owner(_Request):
    """Whose order is to be cancelled."""

    user_id: Annotated[
        UserIdIn | None,
        Meta(description="Whose order it must be; not checked where it is left out."),
    ] = None


class CancelOrder(_Request):
    """Which order to cancel over Socket.IO, and whose it must be, where that is to be checked."""

    order_id: str
    user_id: UserIdIn | None = None


class CreateUser(_Request):
    """A user to be made."""

    name: Annotated[
        str | None, Meta(description="1 to 100 printable characters.", examples=["Ada"])
    ] = None


class _RawOrders(_Request):
    orders: list[msgspec.Raw]


def _decoder(kind: type[_T]) -> msgspec.json.Decoder[_T]:
    return msgspec.json.Decoder(kind, dec_hook=number_hook, float_hook=exact)


PLACE = _decoder(PlaceOrder)
AMEND = _decoder(AmendOrder)
OWNER = _decoder(Owner)
CREATE_USER = _decoder(CreateUser)
_BATCH = _decoder(PlaceOrders)
_BARE_BATCH = _decoder(list[PlaceOrder])
_RAW_BATCH = _decoder(_RawOrders)
_RAW_BARE_BATCH = _decoder(list[msgspec.Raw])


def decode(decoder: msgspec.json.Decoder[_T], body: bytes | msgspec.Raw) -> _T:
    """Return the decoded body. Raises Refusal, whatever the bytes are."""
    try:
        return decoder.decode(body)
    except msgspec.ValidationError as error:
        raise malformed(f"The body does not fit: {error}.") from None
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        why = str(error) if isinstance(error, msgspec.DecodeError) else "not UTF-8, or too deep"
        raise malformed(f"The body is not valid JSON: {why}.") from None


def convert(kind: type[_T], data: Any) -> _T:
    """Return what was decoded already as a request. Raises Refusal."""
    try:
        return msgspec.convert(data, kind, dec_hook=number_hook)
    except (msgspec.ValidationError, RecursionError) as error:
        raise malformed(f"The request does not fit: {error}.") from None


def decode_batch(body: bytes) -> Sequence[PlaceOrder | msgspec.Raw]:
    """Return the orders of `{"orders": [...]}` or of a bare array.

    They are decoded where all are well formed; where one is not, none is, so that each can be
    judged by itself. Raises Refusal where the whole is no batch.
    """
    bare = body.lstrip()[:1] == b"["
    try:
        return _BARE_BATCH.decode(body) if bare else _BATCH.decode(body).orders
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        if bare:
            return decode(_RAW_BARE_BATCH, body)
        return decode(_RAW_BATCH, body).orders


def parse_user_id(value: int | str) -> int:
    """Return a user id given as a number or a decimal text. Raises Refusal."""
    number = value if isinstance(value, int) else whole_number(value)
    if number is None or not 1 <= number <= INT64_MAX:
        raise malformed("userId must be a whole number above zero.")
    return number


def agreed_user_id(*given: int | str | None) -> int | None:
    """Return the user that is named, however often; None where none is.

    Raises Refusal where two are named that differ.
    """
    named = {parse_user_id(value) for value in given if value is not None}
    if len(named) > 1:
        raise malformed("userId is given twice, and the two differ.")
    return named.pop() if named else None


def parse_client_order_id(text: str) -> bytes:
    """Return a client order id as bytes. Raises Refusal."""
    if not _CLIENT_ORDER_ID.fullmatch(text):
        raise malformed("clientOrderId must be 1 to 36 printable ASCII characters without spaces.")
    return text.encode("ascii")


def parse_expiry_us(value: int | str) -> int:
    """Return an expiry (milliseconds since the Unix epoch, or ISO 8601) in microseconds.

    Raises Refusal.
    """
    if isinstance(value, int):
        if not 0 < value <= _YEAR_9999_MS:
            raise malformed("expiresAt must be milliseconds since 1970, or ISO 8601.")
        return value * 1_000
    try:
        if not value.isascii():
            raise ValueError("not ASCII")
        moment = datetime.fromisoformat(value)
        if moment.tzinfo is None:
            raise malformed("expiresAt needs a time zone, for example a Z at its end.")
        expires_us = (moment - _EPOCH) // timedelta(microseconds=1)
        if expires_us > _YEAR_9999_MS * 1_000:
            raise ValueError("after the year 9999")
        return expires_us
    except (ValueError, OverflowError):
        raise malformed("expiresAt must be milliseconds since 1970, or ISO 8601.") from None


def parse_user_name(name: str | None) -> str | None:
    """Return a user's name. Raises Refusal."""
    if name is None:
        return None
    if not 1 <= len(name) <= USER_NAME_CHARACTERS or not name.isprintable():
        raise malformed(f"name must be 1 to {USER_NAME_CHARACTERS} printable characters.")
    return name
