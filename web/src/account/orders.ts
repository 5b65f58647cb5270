import type { Order, Side, Trade } from "../api/client";
import { read } from "../decimal";

export interface Fill {
  id: string;
  orderId: string;
  tradingPair: string;
  type: Side;
  price: string;
  quantity: string;
  role: "maker" | "taker";
  createdAt: string;
}

export const isOpen = (order: Order) =>
  order.status === "OPEN" || order.status === "PARTIALLY_FILLED";

/** Say whether this only repeats an order that was sent before, under the same client's id. */
export const isRepeat = (order: Order) => order.reason === "DUPLICATE_CLIENT_ORDER_ID";

/** Say whether an order came to nothing: it was refused, or ended before anything was traded. */
export const endedUnfilled = (order: Order) =>
  !isOpen(order) && order.status !== "FILLED" && read(order.filledQuantity) === 0n;

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
    .map(([type, orderId], index) => ({
      id: index === 0 ? trade.id : `${trade.id}-${type}`,
      orderId,
      tradingPair: trade.tradingPair,
      type,
      price: trade.price,
      quantity: trade.quantity,
      role: trade.aggressorType === type ? "taker" : "maker",
      createdAt: trade.createdAt,
    }));
}
