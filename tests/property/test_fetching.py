"""Fetches as bytes: packed by partitions, they are what aiokafka packs by fields."""

import struct
from io import BytesIO
from typing import Any

import pytest
from aiokafka.client import AIOKafkaClient
from aiokafka.protocol.fetch import FetchRequest, FetchResponse_v11
from hypothesis import given, settings
from hypothesis import strategies as st

from actors.log.consumers import new_consumer
from actors.log.fetching import PackedFetch, PackedFetchRequest, PackedFetchResponse

_INT8, _INT16, _INT32, _INT64 = (
    st.integers(-(2 ** (bits - 1)), 2 ** (bits - 1) - 1) for bits in (8, 16, 32, 64)
)
_VERSION_11, _VERSION_10 = {1: (0, 17)}, {1: (0, 10)}
_NAME = st.text("abc.é", max_size=9)
_ASKED = st.lists(
    st.tuples(_NAME, st.lists(st.tuples(_INT32, _INT64, _INT32), max_size=3)), max_size=3
)
_ANSWERED = st.tuples(
    _INT32,
    _INT16,
    _INT64,
    _INT64,
    _INT64,
    st.none() | st.lists(st.tuples(_INT64, _INT64), max_size=3),
    _INT32,
    st.none() | st.binary(max_size=40),
)


@settings(deadline=None)
@given(_INT32, _INT32, _INT32, _INT8, _ASKED, _NAME)
def test_a_request_has_the_bytes_that_aiokafka_gives_it(
    wait_ms: int,
    min_bytes: int,
    max_bytes: int,
    isolation: int,
    topics: list[tuple[str, list[tuple[int, int, int]]]],
    rack: str,
) -> None:
    arguments = (wait_ms, min_bytes, max_bytes, isolation, topics, rack)
    packed = PackedFetch(*arguments).prepare(_VERSION_11)
    assert isinstance(packed, PackedFetchRequest)
    assert packed.encode() == FetchRequest(*arguments).prepare(_VERSION_11).encode()


@settings(deadline=None)
@given(
    _INT32,
    _INT16,
    _INT32,
    st.lists(st.tuples(_NAME, st.lists(_ANSWERED, max_size=4)), max_size=3),
)
def test_an_answer_is_read_as_aiokafka_reads_it(
    throttle_ms: int, error_code: int, session_id: int, topics: list[object]
) -> None:
    value = FetchResponse_v11(throttle_ms, error_code, session_id, topics).encode()
    expected = FetchResponse_v11.decode(BytesIO(value))
    # A connection has read the answer's header already.
    answer = BytesIO(b"head" + value)
    answer.seek(4)
    assert PackedFetchResponse.decode(answer).topics == expected.topics
    assert PackedFetchResponse.decode(value) == expected


def test_an_answer_that_is_cut_is_refused() -> None:
    topics: list[Any] = [("topic", [(0, 0, 1, 1, 0, [], -1, b"records")])]
    value = FetchResponse_v11(0, 0, 0, topics).encode()
    for size in range(len(value)):
        with pytest.raises((ValueError, struct.error)):
            PackedFetchResponse.decode(value[:size])


def test_an_older_broker_is_asked_as_before() -> None:
    arguments = (1, 1, 1, 0, [("topic", [(0, 5, 100)])])
    older = PackedFetch(*arguments).prepare(_VERSION_10)
    assert older.API_VERSION == 10
    assert older.encode() == FetchRequest(*arguments).prepare(_VERSION_10).encode()


async def test_consumers_ask_by_packed_requests(monkeypatch: pytest.MonkeyPatch) -> None:
    sent: list[object] = []

    async def send(_: AIOKafkaClient, __: int, request: object, **___: object) -> None:
        sent.append(request)

    monkeypatch.setattr(AIOKafkaClient, "send", send)
    consumer = new_consumer(bootstrap="127.0.0.1:1", client_id="test")
    await consumer._client.send(0, FetchRequest(1, 1, 1, 0, []))
    assert isinstance(sent[0], PackedFetch)
    await consumer.stop()
