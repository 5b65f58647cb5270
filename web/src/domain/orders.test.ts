import { expect, it } from "vitest";
import { bounded, fillKey, fillOf, forgetEnded } from "./orders";
import { sampleOrder, sampleTrade } from "./samples";
import type { Order } from "./types";

const order = (id: number, status: Order["status"]) => {
  const createdAt = new Date(id * 1_000).toISOString();
  return sampleOrder({ id: String(id), status, createdAt, sequence: id });
};

it("forgets the oldest ended orders and no open one", () => {
  const orders = new Map<string, Order>();
  for (let id = 1; id <= 13; id += 1)
    orders.set(String(id), order(id, id <= 2 ? "OPEN" : "CANCELLED"));
  expect([...bounded(orders, 10).keys()].map(Number)).toEqual([1, 2, 6, 7, 8, 9, 10, 11, 12, 13]);
});

it("forgets what ended unheard, and keeps what was heard of meanwhile", () => {
  const before = [1, 2, 3].map((id) => order(id, "OPEN"));
  const orders = new Map(before.map((one) => [one.id, one]));
  orders.set("3", { ...order(3, "FILLED"), sequence: 9 });
  orders.set("4", order(4, "OPEN"));
  forgetEnded(orders, before, [order(1, "OPEN")]);
  expect([...orders.keys()]).toEqual(["1", "3", "4"]);
});

it("gives who trades with himself both sides of the trade", () => {
  const trade = sampleTrade(7, { quantity: "2", aggressorType: "SELL" });
  const own = new Map(["1", "2"].map((id) => [id, order(Number(id), "FILLED")]));
  expect(fillOf(trade, own).map(fillKey)).toEqual(["7-MAKER", "7-TAKER"]);
  own.delete("1");
  expect(fillOf(trade, own).map((fill) => fill.orderId)).toEqual(["2"]);
});
