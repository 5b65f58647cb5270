"""Framing: whatever the pieces, the same frames; whatever the garbage, no frame."""

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from actors.platform.errors import StreamBrokenError
from actors.stream.frames import HEADER_BYTES, Frame, FrameDecoder, FrameKind
from tests.unit.stream.ends import frame

_FRAMES = st.lists(
    st.builds(
        Frame,
        st.sampled_from(FrameKind),
        st.integers(0, 2**64 - 1),
        st.binary(max_size=300),
    ),
    max_size=8,
)


def _bytes(frames: list[Frame]) -> bytes:
    return b"".join(frame(FrameKind(one.kind), one.number, one.payload) for one in frames)


@given(_FRAMES, st.lists(st.integers(0, 3_000), max_size=12))
def test_frames_are_the_same_in_whatever_pieces_they_arrive(
    frames: list[Frame], cuts: list[int]
) -> None:
    whole = _bytes(frames)
    places = sorted({0, len(whole), *(cut for cut in cuts if cut < len(whole))})
    decoder = FrameDecoder()
    found: list[Frame] = []
    for begin, end in itertools.pairwise(places):
        found += decoder.feed(whole[begin:end])
    assert found == frames


@given(_FRAMES.filter(bool), st.data())
def test_no_frame_comes_out_that_did_not_go_in_when_a_byte_is_torn(
    frames: list[Frame], data: st.DataObject
) -> None:
    whole = bytearray(_bytes(frames))
    at = data.draw(st.integers(0, len(whole) - 1))
    whole[at] ^= data.draw(st.integers(1, 255))
    found: list[Frame] = []
    decoder = FrameDecoder()
    try:
        for number in range(len(whole)):
            found += decoder.feed(bytes(whole[number : number + 1]))
    except StreamBrokenError:
        pass
    assert found == frames[: len(found)]
    assert len(found) < len(frames)


@given(_FRAMES.filter(bool), st.data())
def test_bytes_missing_in_the_middle_never_become_a_frame(
    frames: list[Frame], data: st.DataObject
) -> None:
    whole = _bytes(frames)
    begin = data.draw(st.integers(0, len(whole) - 1))
    end = data.draw(st.integers(begin + 1, len(whole)))
    sizes = [HEADER_BYTES + len(one.payload) for one in frames]
    starts = {sum(sizes[:turn]) for turn in range(len(frames) + 1)}
    torn = not {begin, end} <= starts
    decoder = FrameDecoder()
    try:
        found = decoder.feed(whole[:begin] + whole[end:])
    except StreamBrokenError:
        assert torn
    else:
        assert all(one in frames for one in found)


def test_a_frame_that_says_it_is_larger_than_allowed_is_refused_at_its_header() -> None:
    decoder = FrameDecoder(frame_bytes_max=100)
    assert decoder.feed(frame(FrameKind.REQUEST, 1, bytes(100))) == [
        Frame(FrameKind.REQUEST, 1, bytes(100))
    ]
    with pytest.raises(StreamBrokenError, match="101 bytes"):
        decoder.feed(frame(FrameKind.REQUEST, 2, bytes(101))[:HEADER_BYTES])


def test_a_frame_of_no_known_kind_is_refused() -> None:
    with pytest.raises(StreamBrokenError, match="no frame begins"):
        FrameDecoder().feed(bytes(HEADER_BYTES))
