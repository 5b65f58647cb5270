"""`forkast bench web`: how soon the page is useful, and whether it keeps up with a busy market."""

from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from cluster.cli.bench.given import AsJson, console, print_json
from cluster.tools.bench.web.measure import Report, measure_page
from cluster.tools.browser_setup import need_browser


def web(
    seconds: Annotated[float, typer.Option(min=1, help="How long the load is held.")] = 60.0,
    minutes: Annotated[
        float, typer.Option(min=0, help="Hold it so many minutes instead, to see the heap.")
    ] = 0.0,
    as_json: AsJson = False,
) -> None:
    """Measure the page in Chromium: first paint, bundle, frames and heap under a busy feed."""
    need_browser()
    report = measure_page(seconds=minutes * 60 or seconds, tell=console.print)
    if as_json:
        print_json(report)
    else:
        _print(report)


def _print(report: Report) -> None:
    table = Table("figure", "measured", "aim", box=None)
    for name, measured, aim in (
        ("first useful paint, cold cache", f"{report.first_useful_paint_ms:,.0f} ms", "1,000 ms"),
        ("first contentful paint", f"{report.first_contentful_paint_ms:,.0f} ms", ""),
        ("chart there", f"{report.chart_ms:,.0f} ms", ""),
        ("code, styles, document, gzipped", f"{report.gzipped_kilobytes:,.1f} kB", "350 kB"),
        ("book updates", f"{report.book_updates_per_second:,.1f} /s", "200 /s"),
        ("trades", f"{report.trades_per_second:,.1f} /s", "100 /s"),
        ("frames", f"{report.frames_per_second:,.1f} /s", "60 /s"),
        ("frames over 25 ms", f"{report.long_frame_share:.1%}", "5 %"),
        ("longest frame", f"{report.longest_frame_ms:,.0f} ms", ""),
        ("main thread, processor time", f"{report.main_thread_share:.0%}", ""),
        ("heap at the end", f"{report.heap_megabytes:,.1f} MB", ""),
        ("held for", f"{report.seconds:,.0f} s", ""),
        ("heap growth meanwhile", f"{report.heap_growth_megabytes:+,.2f} MB", "flat"),
    ):  # fmt: skip
        table.add_row(name, measured, aim)
    Console().print(table)
