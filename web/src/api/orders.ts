import type { AmendOrder, Fill, Order, PlacedOrder, PlaceOrder, Side } from "../domain/types";
import { answered, client } from "./client";

const FILLS_READ = 1_000;
const WAIT_MS = 2_000;
const ORDERS = {
  open: { limit: 1_000, status: ["OPEN", "PARTIALLY_FILLED"] },
  ended: { limit: 500, status: ["FILLED", "CANCELLED", "REJECTED", "EXPIRED"] },
};

/** A page of a list, newest first; `next` is where the one after it begins, null on the last. */
export interface Page<T> {
  rows: T[];
  next: string | null;
}

/** Place an order and wait a little for its outcome. */
export function placeOrder(body: PlaceOrder): Promise<PlacedOrder> {
  return answered(client.POST("/orders", { body, params: { query: { wait: WAIT_MS } } }));
}

export function amendOrder(id: string, body: AmendOrder) {
  return answered(client.PATCH("/orders/{id}", { params: { path: { id } }, body }));
}

export function cancelOrder(id: string, userId: number) {
  return answered(client.DELETE("/orders/{id}", { params: { path: { id }, query: { userId } } }));
}

/** Cancel a user's open orders, or those of a pair or a side. */
export function cancelOrders(userId: number, pair: string | null, side: Side | null) {
  const query = {
    userId,
    ...(pair === null ? {} : { tradingPair: pair }),
    ...(side === null ? {} : { type: side }),
  };
  return answered(client.DELETE("/orders", { params: { query } }));
}

export function readOrder(id: string): Promise<Order> {
  return answered(client.GET("/orders/{id}", { params: { path: { id } } }));
}

/** Read a page of a user's orders, those that are open or have ended; without a cursor the newest. */
export async function readOrders(
  userId: number,
  which: keyof typeof ORDERS,
  cursor: string | null = null,
): Promise<Page<Order>> {
  const query = { userId, ...ORDERS[which], ...(cursor ? { cursor } : {}) };
  const page = await answered(client.GET("/orders", { params: { query } }));
  return { rows: page.orders, next: page.nextCursor };
}

/** Read a page of a user's fills. */
export async function readFills(userId: number, cursor: string | null = null): Promise<Page<Fill>> {
  const query = { userId, limit: FILLS_READ, ...(cursor ? { cursor } : {}) };
  const page = await answered(client.GET("/fills", { params: { query } }));
  return { rows: page.fills, next: page.nextCursor };
}
