"""The latency bench's arithmetic: shares of time and processor, idle cost, stamps and records."""

import socket
from collections.abc import Iterator
from dataclasses import dataclass
from xml.etree import ElementTree

import numpy as np
import pytest

from actors.book.codec import encode_commands, encode_events
from actors.book.compiled import CompiledBook
from actors.platform.trace import STAMP, Step, Trace
from cluster.markets import default_topology
from cluster.tools.bench.idle import idle_of
from cluster.tools.bench.latency.load import connections_for
from cluster.tools.bench.latency.measure import Rate
from cluster.tools.bench.latency.picture import waterfall_svg
from cluster.tools.bench.latency.records import OrderTimes, note_command, note_event
from cluster.tools.bench.latency.stages import (
    PATH,
    aside_stage,
    cpu_by_stage,
    other_stage,
    path_stages,
)
from cluster.tools.bench.latency.stamps import Stamps
from cluster.tools.bench.pipeline.orders import OrderSource
from cluster.tools.bench.usage import Usage, beyond_idle, cores, quieter

MARKET = next(iter(default_topology()))
NO_CPU = cpu_by_stage({}, orders=1)


@dataclass
class Record:
    """What is read of a record of Kafka's."""

    offset: int
    timestamp: int
    value: bytes
    partition: int = 0


def moments(*milliseconds: float) -> np.ndarray:
    return np.array(milliseconds) * 1_000


@pytest.fixture
def listener() -> Iterator[socket.socket]:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as bound:
        bound.bind(("127.0.0.1", 0))
        bound.settimeout(10)
        yield bound


def test_cores_are_processor_seconds_by_seconds() -> None:
    before, after = Usage(10.0, {"hub": 1.0}), Usage(14.0, {"hub": 2.0, "router": 4.0})
    assert cores(before, after) == {"router": 1.0, "hub": 0.25}


def test_the_idle_cost_is_taken_off_for_as_long_as_the_load_lasted() -> None:
    before, after = Usage(0.0, {"hub": 0.0, "Kafka": 0.0}), Usage(4.0, {"hub": 2.0, "Kafka": 0.2})
    spent = beyond_idle(before, after, {"hub": 0.1, "Kafka": 0.1})
    assert spent == pytest.approx({"hub": 1.6, "Kafka": -0.2})


def test_of_two_looks_at_rest_the_quieter_counts() -> None:
    assert quieter({"hub": 0.1, "Kafka": 0.5}, {"hub": 0.2, "Kafka": 0.1}) == {
        "hub": 0.1,
        "Kafka": 0.1,
    }


def test_every_second_of_processor_is_of_one_stage() -> None:
    spent = {"gateway": 0.2, "HAProxy": 0.1, "Kafka": 0.3, "raylet": 0.4, "Postgres": 0.5}
    found = cpu_by_stage(spent, orders=100)
    assert found["door"] == pytest.approx(3.0)
    assert found["log"] == pytest.approx(3.0)
    assert found["writer"] == pytest.approx(5.0)
    assert found["other"] == pytest.approx(4.0)
    assert sum(found.values()) == pytest.approx(15.0)


def test_stages_follow_each_other_and_their_shares_are_the_whole_way() -> None:
    ends = {name: moments(*(number * 2 + 2.0,) * 3) for number, name in enumerate(PATH)}
    stages = path_stages(moments(0, 0, 0), ends, NO_CPU)
    assert [stage.stage for stage in stages] == list(PATH)
    assert [stage.start_ms for stage in stages] == [0, 2, 4, 6, 8, 10, 12, 14]
    assert {stage.p50_ms for stage in stages} == {stage.p99_ms for stage in stages} == {2.0}
    assert sum(stage.share for stage in stages) == pytest.approx(1.0)


def test_a_stage_whose_end_nobody_saw_is_one_with_the_next() -> None:
    ends = {"door": moments(1), "append": moments(2), "publish": moments(8), "client": moments(10)}
    cpu_ms = {**NO_CPU, "router": 1.0, "actor": 2.0, "hub": 1.0}
    stages = path_stages(moments(0), ends, cpu_ms)
    assert [(stage.stage, stage.p50_ms, stage.cpu_ms, stage.share) for stage in stages] == [
        ("door", 1.0, 0.0, 0.1),
        ("append", 1.0, 0.0, 0.1),
        ("log, router, actor, publish", 6.0, 3.0, 0.6),
        ("hub, client", 2.0, 1.0, 0.2),
    ]
    assert [stage.cpu_share for stage in stages] == [0.0, 0.0, 0.75, 0.25]


def test_what_stands_beside_the_way_has_no_share_of_it() -> None:
    stage = aside_stage("writer", moments(0, 0), moments(5, 5), moments(30, 50), NO_CPU)
    assert (stage.start_ms, stage.p50_ms, stage.share) == (5.0, 35.0, 0.0)


def test_an_order_is_found_in_the_records_of_its_command_and_its_first_event() -> None:
    book = CompiledBook(MARKET)
    commands = OrderSource(MARKET, seed=1, user_id=1).commands(20)
    commands["order_id"] = commands["command_id"] = np.arange(1, 21)
    commands["time_us"] = 1_000_000
    events = book.apply(commands).events
    value = encode_events(
        market_id=MARKET.market_id,
        first_sequence=int(events["sequence"][0]),
        last_sequence=int(events["sequence"][-1]),
        first_offset=0,
        next_offset=1,
        events=events,
    )
    orders: dict[int, OrderTimes] = {}
    written = encode_commands(MARKET.market_id, commands)
    note_command(orders, MARKET, Record(offset=7, timestamp=1_001, value=written))
    note_event(orders, MARKET, Record(offset=9, timestamp=1_005, value=value))
    note_event(orders, MARKET, Record(offset=10, timestamp=1_006, value=value))
    assert orders.keys() == set(range(1, 21))
    assert {
        (one.offset, one.event_offset, one.stamped_us, one.logged_us, one.published_us)
        for one in orders.values()
    } == {(7, 9, 1_000_000, 1_001_500, 1_005_500)}
    assert sorted({one.sequence for one in orders.values()})[0] > 0
    assert any(one.trade_sequence for one in orders.values())
    assert not all(one.trade_sequence for one in orders.values())


def test_a_stamp_is_one_datagram_of_step_place_offsets_and_times(listener: socket.socket) -> None:
    host, port = listener.getsockname()
    trace = Trace(f"{host}:{port}")
    trace.stamp(Step.APPLIED, 3, first_offset=5, next_offset=8, began_us=1)
    trace.close()
    step, place, first, after, began, ended = STAMP.unpack(listener.recv(1_000))
    assert (step, place, first, after, began) == (Step.APPLIED, 3, 5, 8, 1)
    assert ended > began


def test_a_stamp_that_nobody_receives_is_no_error(listener: socket.socket) -> None:
    host, port = listener.getsockname()
    listener.close()
    trace = Trace(f"{host}:{port}")
    for _ in range(3):
        trace.stamp(Step.TOLD, 0, first_offset=0, next_offset=1, began_us=0)
    trace.close()


def test_times_of_a_step_are_those_of_the_stamp_that_holds_the_offset() -> None:
    stamps = Stamps("")
    for first, after in ((10, 12), (4, 5)):
        stamp = STAMP.pack(Step.ROUTED, 1, first, after, first * 100, after * 100)
        stamps.datagram_received(stamp, None)
    stamps.datagram_received(b"something else", None)
    places, offsets = [1, 1, 1, 1, 2], [4, 10, 11, 5, 4]
    assert stamps.begun_us(Step.ROUTED, places, offsets).tolist() == [400, 1_000, 1_000, 0, 0]
    assert stamps.ended_us(Step.ROUTED, places, offsets).tolist() == [500, 1_200, 1_200, 0, 0]
    assert stamps.ended_us(Step.TOLD, places, offsets).tolist() == [0] * 5


@pytest.mark.parametrize("rate", [1.0, 3.0, 10.0, 100.0, 1_000.0])
def test_no_connection_is_idle_for_as_long_as_servers_wait(rate: float) -> None:
    connections = connections_for(rate)
    assert 2 <= connections <= 64
    assert connections / rate <= 2.0


def test_idle_processes_come_with_their_number_memory_and_sums() -> None:
    found = idle_of(
        {"router": 0.02, "hub": 0.01},
        numbers={"router": 1, "hub": 2},
        memory={"router": 200_000_000, "hub": 300_000_000},
        seconds=30.0,
    )
    assert (found.cores, found.megabytes) == (0.03, 500.0)
    assert [(one.kind, one.processes, one.megabytes) for one in found.processes] == [
        ("router", 1, 200.0),
        ("hub", 2, 300.0),
    ]


def test_the_picture_has_a_bar_for_each_stage_of_each_rate() -> None:
    ends = {name: moments(number + 1.0) for number, name in enumerate(PATH)}
    stages = [*path_stages(moments(0), ends, NO_CPU), other_stage(NO_CPU)]
    percentiles = {"p50": 8.0, "p95": 8.0, "p99": 8.0}
    rate = Rate(
        orders_per_second=10,
        orders_per_second_reached=10,
        orders=1,
        refused=0,
        unseen=0,
        event_ms=percentiles,
        answer_ms=percentiles,
        late_ms=percentiles,
        cpu_ms_per_order=2.0,
        stages=stages,
        processes={},
    )
    drawn = ElementTree.fromstring(waterfall_svg([rate, rate]))  # noqa: S314 - made here
    bars = drawn.findall("{http://www.w3.org/2000/svg}rect")
    assert len(bars) == 2 * len(PATH)
    widths = [float(bar.attrib["width"]) for bar in bars]
    assert widths == pytest.approx([widths[0]] * len(bars), abs=0.2)
