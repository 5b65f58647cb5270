import { expect, it } from "vitest";
import { sampleTrade as trade } from "./samples";
import { isGap, merged } from "./tape";

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
