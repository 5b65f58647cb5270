import { read } from "./decimal";
import type { Fill, Order, Side, Trade } from "./types";

/** Name a fill: who trades with himself has two of one trade. */
export const fillKey = (fill: Fill) => `${fill.id}-${fill.role}`;

export const isOpen = (order: Order) =>
  order.status === "OPEN" || order.status === "PARTIALLY_FILLED";

/** Say whether this only repeats an order that was sent before, under the same client's id. */
export const isRepeat = (order: Order) => order.reason === "DUPLICATE_CLIENT_ORDER_ID";

/** Say whether an order came to nothing: it was refused, or ended before anything was traded. */
export const endedUnfilled = (order: Order) =>
  !isOpen(order) && order.status !== "FILLED" && read(order.filledQuantity) === 0n;

/** Return the orders without the oldest ended ones, where there are many more than `most`. */
export function bounded(orders: Map<string, Order>, most: number): Map<string, Order> {
  if (orders.size <= most * 1.2) return orders;
  const ended = [...orders.values()].filter((order) => !isOpen(order));
  ended.sort((left, right) => left.createdAt.localeCompare(right.createdAt));
  for (const order of ended.slice(0, orders.size - most)) orders.delete(order.id);
  return orders;
}

/**
 * Take out what was open before a reading and is no longer among all that is `open`: it ended while
 * nothing was heard. What was heard of since stays.
 */
export function forgetEnded(
  orders: Map<string, Order>,
  before: readonly Order[],
  open: readonly Order[],
): void {
  const still = new Set(open.map((order) => order.id));
  for (const order of before)
    if (!still.has(order.id) && orders.get(order.id) === order) orders.delete(order.id);
}

/** Say whether an order's state is newer: sequences are one market's, so are an order's. */
export function newer(order: Order, known: Order): boolean {
  return order.sequence > known.sequence;
}

/** Return the fills that a trade is for the account: none, one, or both of its sides. */
export function fillOf(trade: Trade, orders: ReadonlyMap<string, Order>): Fill[] {
  const sides: [Side, string][] = [
    ["BUY", trade.buyOrderId],
    ["SELL", trade.sellOrderId],
  ];
  return sides
    .filter(([, orderId]) => orders.has(orderId))
    .map(([type, orderId]) => ({
      id: trade.id,
      orderId,
      tradingPair: trade.tradingPair,
      type,
      role: trade.aggressorType === type ? "TAKER" : "MAKER",
      price: trade.price,
      quantity: trade.quantity,
      createdAt: trade.createdAt,
      sequence: trade.sequence,
    }));
}
