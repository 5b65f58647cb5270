import { expect, it } from "vitest";
import { read } from "./decimal";
import { grouped, steps } from "./grouping";

const level = (price: string, quantity: string) => ({
  price: read(price),
  quantity: read(quantity),
});

it("groups bids down and asks up, and counts from the best price", () => {
  const bids = [level("100.9", "1"), level("100.1", "2"), level("99.9", "4")];
  expect(grouped(bids, read("1"), "bid", 10)).toEqual([
    { price: read("100"), quantity: read("3"), cumulative: read("3") },
    { price: read("99"), quantity: read("4"), cumulative: read("7") },
  ]);
  expect(grouped([level("100.1", "1")], read("1"), "ask", 10)[0]?.price).toBe(read("101"));
});
it("shows no more rows than asked for, each whole", () => {
  const asks = [level("1", "1"), level("2", "1"), level("2.5", "1"), level("4", "1")];
  const rows = grouped(asks, read("1"), "ask", 3);
  expect(rows.map((row) => row.quantity)).toEqual([read("1"), read("1"), read("1")]);
});
it("offers multiples of the tick", () => {
  expect(steps("0.01").slice(0, 4)).toEqual(["0.01", "0.02", "0.05", "0.1"]);
});
