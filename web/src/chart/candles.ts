import type { UTCTimestamp } from "lightweight-charts";
import { answered, type Candle, client } from "../api/client";
import { drawable } from "../decimal";
import type { IndicatorName } from "../settings";

const PAGE = 500;

/** Read a page of candles, oldest first; older ones with `before` (seconds since 1970). */
export function readCandles(pair: string, interval: string, before?: number): Promise<Candle[]> {
  const query = { interval, limit: PAGE, ...(before === undefined ? {} : { before }) };
  return answered(client.GET("/charts/{pair}/candles", { params: { path: { pair }, query } }));
}

/** Read indicators as the analytics side computes them: points by the series' name. */
export async function readIndicators(
  pair: string,
  interval: string,
  names: readonly IndicatorName[],
  limit: number,
) {
  const query = { interval, limit: Math.min(limit, 5_000), names: names.join(",") };
  const answer = await answered(
    client.GET("/charts/{pair}/indicators", { params: { path: { pair }, query } }),
  );
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
