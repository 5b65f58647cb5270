import { drawable } from "./decimal";
import type { Candle, CandleUpdate, Fill, Side } from "./types";

/** Prices for drawing only. */
export interface PriceRange {
  low: number;
  high: number;
}

/** Return the lowest and the highest price of some candles; null of none. */
export function priceRange(candles: readonly Candle[]): PriceRange | null {
  if (candles.length === 0) return null;
  let [low, high] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
  for (const candle of candles) {
    low = Math.min(low, drawable(candle.low));
    high = Math.max(high, drawable(candle.high));
  }
  return { low, high };
}

/** Put the open window's candle behind the others or in its place; false where it is too old. */
export function take(candles: Candle[], candle: Candle | CandleUpdate): boolean {
  const last = candles.at(-1);
  if (last && candle.time < last.time) return false;
  if (last?.time === candle.time) candles[candles.length - 1] = candle;
  else candles.push(candle);
  return true;
}

/** Return the windows, by their time, in which an account bought or sold: one a window and side. */
export function fillWindows(candles: readonly Candle[], fills: Iterable<Fill>) {
  const marks = new Map<string, { time: number; type: Side }>();
  for (const { createdAt, type } of fills) {
    const second = Date.parse(createdAt) / 1_000;
    const candle = candles.findLast((one) => one.time <= second);
    if (candle) marks.set(`${candle.time} ${type}`, { time: candle.time, type });
  }
  return [...marks.values()].sort((left, right) => left.time - right.time);
}
