"""The load generator's parts: its HTTP, its orders, its bound and its figures."""

import asyncio
import itertools
import multiprocessing as mp
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack
from decimal import Decimal

import msgspec
import numpy as np
import pytest

from actors.book.compiled import CompiledBook
from actors.book.vocabulary import EventKind, OrderStatus
from api.exchange.decimals import MarketDecimals
from cluster.data.state import RunState
from cluster.markets import default_topology
from cluster.tools.bench.pipeline.http_client import BenchRequestError, Connection
from cluster.tools.bench.pipeline.observer import percentiles_ms
from cluster.tools.bench.pipeline.orders import encoded_batches, encoded_singles, sources
from cluster.tools.bench.pipeline.shapes import Load, single

TOPOLOGY = default_topology()
Answer = Callable[[bytes], bytes]
Serve = Callable[[Answer], Awaitable[str]]


@pytest.fixture
async def serve() -> AsyncIterator[Serve]:
    """Return a way to start a server that answers each request's body with raw bytes."""
    clients: set[asyncio.Task[None]] = set()
    async with AsyncExitStack() as stack:

        async def start(answer: Answer) -> str:
            async def client(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
                while request := await reader.read(65_536):
                    said = answer(request.partition(b"\r\n\r\n")[2])
                    if not said:
                        break
                    writer.write(said)
                writer.close()
                await writer.wait_closed()

            def accept(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
                clients.add(asyncio.create_task(client(reader, writer)))

            server = await asyncio.start_server(accept, "127.0.0.1", 0)
            stack.callback(server.close)
            return f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"

        yield start
        await asyncio.gather(*clients, return_exceptions=True)


async def post(url: str, body: bytes) -> tuple[int, bytes]:
    async with Connection(url) as connection:
        return await connection.post("/orders", body)


async def test_an_answer_with_a_length_is_read_whole(serve: Serve) -> None:
    url = await serve(lambda body: b"HTTP/1.1 201 Created\r\ncontent-length: 3\r\n\r\n" + body[:3])
    assert await post(url, b"abcdef") == (201, b"abc")


async def test_an_answer_in_chunks_is_read_whole(serve: Serve) -> None:
    head = b"HTTP/1.1 503 Busy\r\nTransfer-Encoding: chunked\r\n\r\n"
    url = await serve(lambda _: head + b"3\r\nabc\r\nb\r\n0123456789x\r\n0\r\n\r\n")
    assert await post(url, b"{}") == (503, b"abc0123456789x")


async def test_a_connection_that_ends_is_an_error_of_the_bench(serve: Serve) -> None:
    url = await serve(lambda _: b"")
    with pytest.raises(BenchRequestError, match="closed"):
        await post(url, b"{}")


def test_every_order_is_one_that_its_market_takes() -> None:
    found = sources(TOPOLOGY, pairs=len(TOPOLOGY), seed=1)
    bodies = [msgspec.json.decode(body) for body in encoded_singles(found, 500)]
    assert {body["tradingPair"] for body in bodies} == {market.pair for market in TOPOLOGY}
    for body in bodies:
        units = MarketDecimals(TOPOLOGY.market(body["tradingPair"]))
        price = units.price_ticks(Decimal(body["price"]))
        lots = units.quantity_lots(Decimal(body["quantity"]))
        assert price * lots >= units.market.min_notional_units
        assert price <= units.market.max_price_ticks
        assert lots <= units.market.max_quantity_lots


def test_the_book_stays_small_however_long_the_load_lasts() -> None:
    source = sources(TOPOLOGY, pairs=1, seed=1)[0]
    book = CompiledBook(source.market)
    for number in range(100):
        commands = source.commands(1_000)
        ids = np.arange(1, 1_001) + number * 1_000
        commands["order_id"] = commands["command_id"] = commands["time_us"] = ids
        events = book.apply(commands).events
        assert np.count_nonzero(events["kind"] == EventKind.TRADE) > 300
        assert book.open_orders < 1_000
    assert not np.any(events["status"] == OrderStatus.REJECTED)


def test_a_batch_holds_its_number_of_orders_of_all_pairs() -> None:
    batches = encoded_batches(sources(TOPOLOGY, pairs=3, seed=1), size=100, count=2)
    for batch in batches:
        orders = msgspec.json.decode(batch)["orders"]
        assert len(orders) == 100
        assert {order["tradingPair"] for order in orders} == {"BTC-USD", "ETH-USD", "SOL-USD"}


def load(url: str = "") -> Load:
    return Load(
        state=RunState(process_id=0, started_us=0, url=url),
        topology=TOPOLOGY,
        sources=sources(TOPOLOGY, pairs=1, seed=1),
        committed=mp.get_context("spawn").Value("q", 0),
    )


async def test_no_more_is_sent_while_too_much_has_no_row() -> None:
    one = load()
    one.begin(seconds=30)
    assert await one.may_send(100_001)
    waiting = asyncio.create_task(one.may_send(1))
    await asyncio.sleep(0)
    assert not waiting.done()
    one.committed.value = 1
    assert await waiting
    one.begin(seconds=0)
    assert not await one.may_send(1)


async def test_orders_that_a_busy_gateway_refused_are_not_counted_as_sent(serve: Serve) -> None:
    answers = itertools.cycle([b"503 Busy", b"201 Created"])
    url = await serve(lambda _: b"HTTP/1.1 %b\r\ncontent-length: 0\r\n\r\n" % next(answers))
    one = load(url)
    assert one.singles
    one.begin(seconds=1)
    await single(one)
    assert one.sent > 0
    assert one.refused > 0
    assert len(one.answer_us) == one.sent + one.refused


async def test_any_other_answer_stops_the_load(serve: Serve) -> None:
    url = await serve(lambda _: b"HTTP/1.1 400 Bad\r\ncontent-length: 2\r\n\r\nno")
    one = load(url)
    one.begin(seconds=5)
    with pytest.raises(ExceptionGroup) as caught:
        await single(one)
    assert caught.group_contains(BenchRequestError, match="400: no")


def test_percentiles_are_of_all_samples_in_milliseconds() -> None:
    parts = [np.arange(1, 51) * 1_000, np.arange(51, 101) * 1_000]
    assert percentiles_ms(parts) == {"p50": 50.5, "p95": 95.05, "p99": 99.01}
    assert percentiles_ms([]) == {"p50": 0.0, "p95": 0.0, "p99": 0.0}
