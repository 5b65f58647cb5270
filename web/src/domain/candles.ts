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

/** Where a candle has gone: behind the others, in the newest's place, or in an older one's. */
export type Taken = "newest" | "older" | null;

/** Put a candle behind the others or in its window's place; null where no window is its own. */
export function take(candles: Candle[], candle: Candle | CandleUpdate): Taken {
  const last = candles.at(-1);
  if (!last || candle.time > last.time) {
    candles.push(candle);
    return "newest";
  }
  const at = candles.findLastIndex((one) => one.time <= candle.time);
  if (candles[at]?.time !== candle.time) return null;
  candles[at] = candle;
  return at === candles.length - 1 ? "newest" : "older";
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
