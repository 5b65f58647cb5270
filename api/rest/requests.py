"""Bodies that clients send, decoded exactly: numbers keep their decimals, wrong types are refused.

Fields that are not named here are passed over.
"""

import re
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Literal, TypeVar

import msgspec

from actors.book.market import INT64_MAX
from api.asgi.errors import InvalidRequestError

_T = TypeVar("_T")

SideWord = Literal["BUY", "SELL"]
OrderTypeWord = Literal["LIMIT", "MARKET"]
TimeInForceWord = Literal["GTC", "IOC", "FOK", "GTD"]
SelfTradeWord = Literal["NONE", "EXPIRE_TAKER", "EXPIRE_MAKER", "EXPIRE_BOTH", "DECREMENT"]

USER_NAME_CHARACTERS = 100
_CLIENT_ORDER_ID = re.compile(r"[!-~]{1,36}", re.ASCII)
_USER_ID = re.compile(r"[0-9]{1,19}", re.ASCII)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_YEAR_9999_MS = 253_402_300_799_000


class PlaceRequest(msgspec.Struct, rename="camel", gc=False):
    """An order as a client asks for it."""

    trading_pair: str
    type: SideWord
    user_id: int | str
    price: Decimal | None = None
    quantity: Decimal | None = None
    order_type: OrderTypeWord | None = None
    time_in_force: TimeInForceWord | None = None
    post_only: bool | None = None
    quote_quantity: Decimal | None = None
    expires_at: int | str | None = None
    self_trade_prevention: SelfTradeWord | None = None
    client_order_id: str | None = None


class AmendRequest(msgspec.Struct, rename="camel", gc=False):
    """A new price, a new total quantity, or both."""

    price: Decimal | None = None
    quantity: Decimal | None = None
    user_id: int | str | None = None


class OwnerRequest(msgspec.Struct, rename="camel", gc=False):
    """Who cancels."""

    user_id: int | str | None = None


class CreateUserRequest(msgspec.Struct, rename="camel", gc=False):
    """A user to be made."""

    name: str | None = None


class _Batch(msgspec.Struct, gc=False):
    orders: list[PlaceRequest]


class _RawBatch(msgspec.Struct, gc=False):
    orders: list[msgspec.Raw]


PLACE = msgspec.json.Decoder(PlaceRequest)
AMEND = msgspec.json.Decoder(AmendRequest)
OWNER = msgspec.json.Decoder(OwnerRequest)
CREATE_USER = msgspec.json.Decoder(CreateUserRequest)
_BATCH = msgspec.json.Decoder(_Batch)
_BARE_BATCH = msgspec.json.Decoder(list[PlaceRequest])
_RAW_BATCH = msgspec.json.Decoder(_RawBatch)
_RAW_BARE_BATCH = msgspec.json.Decoder(list[msgspec.Raw])


def decode(decoder: msgspec.json.Decoder[_T], body: bytes | msgspec.Raw) -> _T:
    """Return the decoded body. Raises InvalidRequestError, whatever the bytes are."""
    try:
        return decoder.decode(body)
    except msgspec.ValidationError as error:
        raise InvalidRequestError("MALFORMED", f"The body does not fit: {error}.") from None
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        why = str(error) if isinstance(error, msgspec.DecodeError) else "not UTF-8, or too deep"
        raise InvalidRequestError("MALFORMED", f"The body is not valid JSON: {why}.") from None


def decode_batch(body: bytes) -> Sequence[PlaceRequest | msgspec.Raw]:
    """Return the orders of `{"orders": [...]}` or of a bare array.

    They are decoded where all are well formed; where one is not, none is, so that each can be
    judged by itself. Raises InvalidRequestError where the whole is no batch.
    """
    bare = body.lstrip()[:1] == b"["
    try:
        return _BARE_BATCH.decode(body) if bare else _BATCH.decode(body).orders
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        if bare:
            return decode(_RAW_BARE_BATCH, body)
        return decode(_RAW_BATCH, body).orders


def parse_user_id(value: int | str) -> int:
    """Return a user id given as a number or a decimal string. Raises InvalidRequestError."""
    if isinstance(value, str):
        if not _USER_ID.fullmatch(value):
            raise _malformed("userId must be a whole number above zero.")
        value = int(value)
    if not 1 <= value <= INT64_MAX:
        raise _malformed("userId must be a whole number above zero.")
    return value


def parse_client_order_id(text: str) -> bytes:
    """Return a client order id as bytes. Raises InvalidRequestError."""
    if not _CLIENT_ORDER_ID.fullmatch(text):
        raise _malformed("clientOrderId must be 1 to 36 printable ASCII characters without spaces.")
    return text.encode("ascii")


def parse_expiry_us(value: int | str) -> int:
    """Return an expiry (milliseconds since the Unix epoch, or ISO 8601) in microseconds.

    Raises InvalidRequestError.
    """
    if isinstance(value, int):
        if not 0 < value <= _YEAR_9999_MS:
            raise _malformed("expiresAt must be milliseconds since 1970, or ISO 8601.")
        return value * 1_000
    try:
        moment = datetime.fromisoformat(value)
        if moment.tzinfo is None:
            raise _malformed("expiresAt needs a time zone, for example a Z at its end.")
        return (moment - _EPOCH) // timedelta(microseconds=1)
    except (ValueError, OverflowError):
        raise _malformed("expiresAt must be milliseconds since 1970, or ISO 8601.") from None


def parse_user_name(name: str | None) -> str | None:
    """Return a user's name. Raises InvalidRequestError."""
    if name is None:
        return None
    if not 1 <= len(name) <= USER_NAME_CHARACTERS or not name.isprintable():
        raise _malformed(f"name must be 1 to {USER_NAME_CHARACTERS} printable characters.")
    return name


def _malformed(message: str) -> InvalidRequestError:
    return InvalidRequestError("MALFORMED", message)
