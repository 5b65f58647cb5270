"""How far each pair is behind its log, and how fast it goes: once a second, for all to read."""

from dataclasses import replace

from actors.platform.messages import PairLag
from actors.router.pipeline import PairPipeline
from actors.router.state import Counters


class LagMeter:
    """Turn one pair's counters into a `PairLag` per interval."""

    def __init__(self, pipeline: PairPipeline) -> None:
        self._pipeline = pipeline
        self._before = Counters()
        self._commands_per_record = 1.0

    def measure(self, *, end_offset: int | None, interval_s: float, now_us: int) -> PairLag:
        """Return the pair's lag at the end of an interval; None is an end that nobody has told."""
        state = self._pipeline.state
        now, before = replace(state.counters), self._before
        self._before = now
        records = now.records - before.records
        commands = now.commands - before.commands
        ranges = now.ranges - before.ranges
        if records:
            self._commands_per_record = max(commands / records, 1.0)
        if end_offset is None:
            end_offset = state.next_offset
        behind = max(end_offset - state.next_offset, 0)
        return PairLag(
            market_id=self._pipeline.market.market_id,
            updated_us=now_us,
            available=state.available,
            next_offset=state.next_offset,
            end_offset=end_offset,
            records_behind=behind,
            commands_behind=round(behind * self._commands_per_record),
            commands_per_second=commands / interval_s,
            trades_per_second=(now.trades - before.trades) / interval_s,
            total_commands=now.commands,
            total_trades=now.trades,
            sequence=state.sequence,
            open_orders=state.open_orders,
            last_price_ticks=state.last_price_ticks,
            halted=state.halted,
            apply_seconds=(now.apply_seconds - before.apply_seconds) / max(ranges, 1),
            ranges_in_flight=self._pipeline.ranges_in_flight,
            recoveries=now.recoveries,
            recovery_seconds=state.recovery_seconds,
            declined=dict(state.declined),
        )
