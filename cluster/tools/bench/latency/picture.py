"""Waterfall as a picture: one panel a rate, one bar a stage, from its begin for its median.

A line goes on to the 99th percentile. The width is the way's from client to client: what stands
beside it and takes longer is cut off at the edge, its figures are not.
"""

from collections.abc import Sequence
from html import escape

from cluster.tools.bench.latency.measure import Rate
from cluster.tools.bench.latency.stages import ASIDE, OTHER, Stage

_WIDTH, _LABEL, _RIGHT = 860, 110, 170
_ROW, _HEAD, _GAP = 20, 40, 20
_BAR = 12
_PLOT = _WIDTH - _LABEL - _RIGHT
# Legible on a light page and on a dark one.
_PATH_COLOUR, _ASIDE_COLOUR, _WHISKER, _INK = "#3b82f6", "#94a3b8", "#f59e0b", "#64748b"


def waterfall_svg(rates: Sequence[Rate]) -> str:
    """Return an SVG document of these rates, each on a scale of its own."""
    parts: list[str] = []
    top = _GAP // 2
    for one in rates:
        drawn, height = _panel(one, top)
        parts += drawn
        top += height + _GAP
    return "\n".join(
        [
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {top}" '
            f'width="{_WIDTH}" height="{top}" role="img" font-family="sans-serif" font-size="12" '
            f'fill="{_INK}">',
            "<title>The way of one order, stage by stage</title>",
            *parts,
            "</svg>\n",
        ]
    )


def _panel(one: Rate, top: int) -> tuple[list[str], int]:
    """Return what draws one rate, and how high it is."""
    stages = [stage for stage in one.stages if stage.stage != OTHER]
    longest = max(stage.start_ms + stage.p99_ms for stage in stages if stage.stage not in ASIDE)
    scale = _PLOT / max(longest, 1e-9)
    event = one.event_ms
    drawn = [
        _text(
            0,
            top + 14,
            f"{one.orders_per_second:g} orders a second: event at the client after "
            f"{event['p50']:,.1f} ms (p50), {event['p99']:,.1f} ms (p99); "
            f"{one.cpu_ms_per_order:,.1f} ms of processor an order",
            weight="bold",
        ),
        _text(_WIDTH, top + _HEAD - 6, "p50 / p99 ms, cpu ms", anchor="end"),
    ]
    for number, stage in enumerate(stages):
        drawn += _bar(stage, top + _HEAD + number * _ROW, scale)
    return drawn, _HEAD + len(stages) * _ROW


def _bar(stage: Stage, top: int, scale: float) -> list[str]:
    left = _LABEL + max(0.0, stage.start_ms) * scale
    middle, edge = top + _BAR / 2, float(_LABEL + _PLOT)
    colour = _ASIDE_COLOUR if stage.stage in ASIDE else _PATH_COLOUR
    width = min(max(1.0, stage.p50_ms * scale), edge - left)
    tail = min(left + max(width, stage.p99_ms * scale), edge)
    return [
        _text(_LABEL - 8, top + _BAR - 2, stage.stage, anchor="end"),
        f'<path d="M{left + width:.1f} {middle}H{tail:.1f}" stroke="{_WHISKER}"/>',
        f'<rect x="{left:.1f}" y="{top}" width="{width:.1f}" height="{_BAR}" fill="{colour}"/>',
        _text(
            _WIDTH,
            top + _BAR - 2,
            f"{stage.p50_ms:,.1f} / {stage.p99_ms:,.1f}, {stage.cpu_ms:,.2f}",
            anchor="end",
        ),
    ]


def _text(x: int, y: float, text: str, *, anchor: str = "start", weight: str = "normal") -> str:
    return (
        f'<text x="{x}" y="{y}" text-anchor="{anchor}" font-weight="{weight}">{escape(text)}</text>'
    )
