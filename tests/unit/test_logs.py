"""Logs as programs read them: one JSON object a line, with the words that all lines share."""

import contextlib
import json
import logging
from collections.abc import Iterator
from pathlib import Path

import pytest
import structlog

from actors.platform.logs import configure_logs, quiet_libraries


@pytest.fixture
def _as_before() -> Iterator[None]:
    """Leave the other tests' logs as they were."""
    yield
    structlog.reset_defaults()
    logging.getLogger("aiokafka").setLevel(logging.NOTSET)


@pytest.mark.usefixtures("_as_before")
def test_a_line_is_one_object_with_pair_sequence_and_offset(
    capsys: pytest.CaptureFixture[str],
) -> None:
    configure_logs("json")
    structlog.get_logger().warning("pair_restored", pair="BTC-USD", sequence=7, offset=9)
    told = json.loads(capsys.readouterr().out)
    assert {name: told[name] for name in ("event", "level", "pair", "sequence", "offset")} == {
        "event": "pair_restored",
        "level": "warning",
        "pair": "BTC-USD",
        "sequence": 7,
        "offset": 9,
    }
    assert told["timestamp"].endswith("Z")
    assert told["pid"] > 0


@pytest.mark.usefixtures("_as_before")
@pytest.mark.parametrize("known", [{"market_id": 2}, {"partition": 1}])
def test_a_line_that_knows_a_market_names_its_pair(
    capsys: pytest.CaptureFixture[str], known: dict[str, int]
) -> None:
    configure_logs("json", pairs={1: "BTC-USD", 2: "ETH-USD"})
    structlog.get_logger().warning("trades_missing", **known)
    assert json.loads(capsys.readouterr().out)["pair"] == "ETH-USD"


@pytest.mark.usefixtures("_as_before")
def test_an_error_keeps_its_traceback_on_its_line(capsys: pytest.CaptureFixture[str]) -> None:
    configure_logs("json")
    try:
        raise ValueError("no such order")
    except ValueError:
        structlog.get_logger().exception("failed", pair="BTC-USD")
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == 1
    assert "no such order" in json.loads(lines[0])["exception"]


@pytest.mark.usefixtures("_as_before")
def test_a_line_that_cannot_be_written_is_lost_and_the_next_one_is_not(
    capsys: pytest.CaptureFixture[str],
) -> None:
    configure_logs("json")
    full = Path("/dev/full").open("w", buffering=1)  # noqa: SIM115
    with contextlib.redirect_stdout(full):
        structlog.get_logger().warning("lost")
    with pytest.raises(OSError, match="No space left"):
        full.close()
    structlog.get_logger().warning("kept")
    assert json.loads(capsys.readouterr().out)["event"] == "kept"


@pytest.mark.usefixtures("_as_before")
def test_what_a_library_tries_again_is_not_told(caplog: pytest.LogCaptureFixture) -> None:
    quiet_libraries()
    logger = logging.getLogger("aiokafka.producer.sender")
    logger.warning("got an error, retrying")
    logger.error("cannot connect")
    assert caplog.messages == ["cannot connect"]


@pytest.mark.usefixtures("_as_before")
def test_a_person_reads_columns(capsys: pytest.CaptureFixture[str]) -> None:
    configure_logs("console")
    structlog.get_logger().info("pair_restored", pair="BTC-USD")
    told = capsys.readouterr().out
    assert "pair_restored" in told
    assert not told.startswith("{")
