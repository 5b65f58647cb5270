import { expect, it } from "vitest";
import { read } from "./decimal";
import { nearMarket, ownLevels } from "./ownLevels";
import { sampleOrder } from "./samples";
import type { Side } from "./types";

const order = (type: Side, price: string | null, quantity = "1", filledQuantity = "0") =>
  sampleOrder({ type, price, quantity, filledQuantity });
const prices = (levels: { price: bigint }[]) => levels.map((level) => level.price);
const RANGE = { low: 90, high: 110 };

it("orders outside the chart's range are counted, not shown", () => {
  const own = [order("BUY", "50"), order("BUY", "95"), order("SELL", "105"), order("SELL", "500")];
  const { shown, folded } = nearMarket(ownLevels(own), RANGE, 5);
  expect(prices(shown)).toEqual([read("95"), read("105")]);
  expect(folded).toBe(2);
});

it("the levels nearest to the market are shown of a hundred", () => {
  const own = Array.from({ length: 100 }, (_, at) => [
    order("BUY", (99.9 - at / 10).toFixed(1)),
    order("SELL", (100 + at / 10).toFixed(1)),
  ]).flat();
  const { shown, folded } = nearMarket(ownLevels(own), RANGE, 2);
  expect(prices(shown)).toEqual(["99.9", "99.8", "100", "100.1"].map(read));
  expect(folded).toBe(196);
});

it("orders of one price are one level with what is left of them", () => {
  const own = [order("BUY", "95", "2", "0.5"), order("BUY", "95", "1"), order("SELL", "105")];
  const { shown, folded } = nearMarket(ownLevels(own), RANGE, 5);
  expect(shown[0]).toEqual({ side: "BUY", price: read("95"), quantity: read("2.5"), orders: 2 });
  expect(folded).toBe(0);
});

it("all orders with a price are folded where there is no candle", () => {
  expect(nearMarket(ownLevels([order("BUY", "95"), order("BUY", null)]), null, 5)).toEqual({
    shown: [],
    folded: 1,
  });
});
