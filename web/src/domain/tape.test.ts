import { expect, it } from "vitest";
import { isGap, merged } from "./tape";
import type { Trade } from "./types";

const trade = (id: number): Trade => ({
  id: String(id),
  tradingPair: "BTC-USD",
  price: "1",
  quantity: "1",
  buyOrderId: "1",
  sellOrderId: "2",
  aggressorType: "BUY",
  createdAt: "2026-01-31T12:00:00.000000Z",
  sequence: id,
});

it("shows each trade once, newest first", () => {
  const shown = merged([trade(3), trade(1)], [trade(2), trade(3)]);
  expect(shown.map((one) => one.id)).toEqual(["3", "2", "1"]);
});
it("bounds what it keeps", () => {
  const many = Array.from({ length: 700 }, (_, index) => trade(index + 1));
  expect(merged([], many)).toHaveLength(500);
  expect(merged([], many)[0]?.id).toBe("700");
});
it("sees that a trade is missing", () => {
  expect(isGap([trade(3)], trade(4))).toBe(false);
  expect(isGap([trade(3)], trade(5))).toBe(true);
  expect(isGap([], trade(5))).toBe(false);
});
