"""Fetch requests and their answers as bytes, a partition at a time.

aiokafka packs and unpacks every field on its own, which for ten partitions takes longer than all
else that it does for a fetch. The bytes are the same.
"""

from collections.abc import Coroutine
from io import BytesIO
from struct import Struct
from typing import Any

from aiokafka.client import AIOKafkaClient
from aiokafka.protocol.fetch import FetchRequest, FetchRequest_v11, FetchResponse_v11

_REQUEST = Struct(">iiiibii")
_ASKED = Struct(">iiqqi")
_ANSWER = Struct(">ihi")
_ANSWERED = Struct(">ihqqqi")
_ABORTED = Struct(">qq")
_SIZE = Struct(">i")
_SHORT_SIZE = Struct(">h")
_REPLICA_AND_SIZE = Struct(">ii")


class PackedFetchResponse(FetchResponse_v11):  # type: ignore[misc]
    """The answer of version 11, taken apart by whole partitions."""

    @classmethod
    def decode(cls, data: BytesIO | bytes) -> "PackedFetchResponse":
        """Return an answer. Raises struct.error or ValueError for bytes that are none."""
        value = data if isinstance(data, bytes) else data.read()
        throttle_ms, error_code, session_id = _ANSWER.unpack_from(value)
        (topics,), at = _SIZE.unpack_from(value, _ANSWER.size), _ANSWER.size + _SIZE.size
        answered = []
        for _ in range(topics):
            name, at = _text(value, at)
            (count,) = _SIZE.unpack_from(value, at)
            at += _SIZE.size
            partitions = []
            for _ in range(count):
                partition, at = _partition(value, at)
                partitions.append(partition)
            answered.append((name, partitions))
        return cls(throttle_ms, error_code, session_id, answered)


class PackedFetchRequest(FetchRequest_v11):  # type: ignore[misc]
    """The request of version 11, put together by whole partitions."""

    RESPONSE_TYPE = PackedFetchResponse

    def encode(self) -> bytes:
        """Return the request's bytes."""
        parts = [
            _REQUEST.pack(
                self.replica_id,
                self.max_wait_time,
                self.min_bytes,
                self.max_bytes,
                self.isolation_level,
                self.session_id,
                self.session_epoch,
            ),
            _SIZE.pack(len(self.topics)),
        ]
        for name, partitions in self.topics:
            parts += (_packed_text(name), _SIZE.pack(len(partitions)))
            parts += [_ASKED.pack(*partition) for partition in partitions]
        # No topic is forgotten: there is no session.
        parts += (_SIZE.pack(0), _packed_text(self.rack_id))
        return b"".join(parts)


class PackedFetch(FetchRequest):  # type: ignore[misc]
    """A request that goes out packed where the broker knows version 11, as Kafka 2.3 does."""


# After the class, for its base sets them when it is made.
PackedFetch._CLASSES = tuple(
    PackedFetchRequest if one is FetchRequest_v11 else one for one in FetchRequest._CLASSES
)


def pack_fetches(client: AIOKafkaClient) -> None:
    """Let a client send its fetch requests packed."""
    send = client.send

    def send_packed(node_id: int, request: Any, **how: Any) -> Coroutine[Any, Any, Any]:
        if type(request) is FetchRequest:
            request.__class__ = PackedFetch
        sent: Coroutine[Any, Any, Any] = send(node_id, request, **how)
        return sent

    client.send = send_packed


def _partition(value: bytes, at: int) -> tuple[tuple[Any, ...], int]:
    *numbers, aborted_count = _ANSWERED.unpack_from(value, at)
    at += _ANSWERED.size
    starts = range(at, at + _ABORTED.size * aborted_count, _ABORTED.size)
    aborted = None if aborted_count < 0 else [_ABORTED.unpack_from(value, one) for one in starts]
    at = starts.stop if aborted else at
    replica, size = _REPLICA_AND_SIZE.unpack_from(value, at)
    at += _REPLICA_AND_SIZE.size
    end = at + max(size, 0)
    if end > len(value):
        raise ValueError(f"an answer of {len(value)} bytes ends within its records")
    records = None if size < 0 else value[at:end]
    return (*numbers, aborted, replica, records), end


def _text(value: bytes, at: int) -> tuple[str, int]:
    (size,) = _SHORT_SIZE.unpack_from(value, at)
    start = at + _SHORT_SIZE.size
    return value[start : start + size].decode(), start + size


def _packed_text(text: str) -> bytes:
    encoded = text.encode()
    return _SHORT_SIZE.pack(len(encoded)) + encoded
