import { expect, it } from "vitest";
import { fillWindows, priceRange, take } from "./candles";
import type { Candle, Fill, Side } from "./types";

const candle = (time: number, low = "1", high = "2"): Candle => ({
  time,
  open: low,
  high,
  low,
  close: high,
  volume: "1",
});
const fill = (second: number, type: Side): Fill => ({
  id: String(second),
  orderId: "1",
  tradingPair: "BTC-USD",
  type,
  role: "TAKER",
  price: "1",
  quantity: "1",
  createdAt: new Date(second * 1_000).toISOString(),
  sequence: second,
});

it("the range of candles is that of their wicks", () => {
  const candles = [candle(0, "5", "9"), candle(60, "4", "6"), candle(120, "7", "10")];
  expect(priceRange(candles)).toEqual({ low: 4, high: 10 });
  expect(priceRange([])).toBeNull();
});

it("a window's candle replaces itself, also when a later window is open", () => {
  const candles = [candle(0), candle(60)];
  expect(take(candles, candle(60, "3"))).toBe("newest");
  expect(take(candles, candle(120))).toBe("newest");
  expect(take(candles, candle(60, "4"))).toBe("older");
  expect(take(candles, candle(-60))).toBeNull();
  expect(take(candles, candle(90))).toBeNull();
  expect(candles.map((one) => [one.time, one.low])).toEqual([
    [0, "1"],
    [60, "4"],
    [120, "1"],
  ]);
});

it("fills are marked once a window and side, none before the first candle", () => {
  const candles = [candle(60), candle(120)];
  const fills = [fill(130, "SELL"), fill(61, "BUY"), fill(119, "BUY"), fill(59, "BUY")];
  expect(fillWindows(candles, fills)).toEqual([
    { time: 60, type: "BUY" },
    { time: 120, type: "SELL" },
  ]);
});
