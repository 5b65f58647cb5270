import type { UTCTimestamp } from "lightweight-charts";
import { readIndicators } from "../api/market";
import { drawable } from "../domain/decimal";
import type { Candle, IndicatorName } from "../domain/types";

/** Return indicators as points to draw, by the series' name. */
export async function indicatorPoints(
  pair: string,
  interval: string,
  names: readonly IndicatorName[],
  count: number,
) {
  const answer = await readIndicators(pair, interval, names, count);
  return new Map(
    Object.entries(answer.series).map(([name, values]) => [
      name,
      answer.times.flatMap((time, index) => {
        const value = values[index];
        return value == null ? [] : [{ time: time as UTCTimestamp, value: drawable(value) }];
      }),
    ]),
  );
}

export const bar = (candle: Candle) => ({
  time: candle.time as UTCTimestamp,
  open: drawable(candle.open),
  high: drawable(candle.high),
  low: drawable(candle.low),
  close: drawable(candle.close),
});

export const volume = (candle: Candle, colors: { up: string; down: string }) => ({
  time: candle.time as UTCTimestamp,
  value: drawable(candle.volume),
  color: drawable(candle.close) >= drawable(candle.open) ? colors.up : colors.down,
});
