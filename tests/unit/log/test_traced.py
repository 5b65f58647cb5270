"""A log that stamps: the readers of the topic that a step is about, and no others."""

import socket

import pytest

from actors.log.traced import TracedReader, log_of
from actors.platform.topology import COMMANDS_TOPIC, EVENTS_TOPIC
from actors.platform.trace import Step, Trace


@pytest.mark.parametrize(
    ("step", "its_own", "another"),
    [(Step.ROUTED, COMMANDS_TOPIC, EVENTS_TOPIC), (Step.TOLD, EVENTS_TOPIC, COMMANDS_TOPIC)],
)
def test_only_readers_of_the_steps_own_topic_stamp(step: Step, its_own: str, another: str) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as receiver:
        receiver.bind(("127.0.0.1", 0))
        trace = Trace(f"127.0.0.1:{receiver.getsockname()[1]}")
        log = log_of("127.0.0.1:1", trace=trace, step=step)
        stamps = [
            isinstance(log.reader(topic=topic, client_id="test"), TracedReader)
            for topic in (its_own, another)
        ]
        trace.close()
    assert stamps == [True, False]
