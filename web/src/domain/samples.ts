import type { Order, Trade } from "./types";

// Asserted: what an order shows may grow, and no test is about all of it.
const ORDER = {
  id: "1",
  clientOrderId: null,
  userId: 1,
  tradingPair: "BTC-USD",
  type: "BUY",
  orderType: "LIMIT",
  timeInForce: "GTC",
  status: "OPEN",
  price: "1",
  quantity: "1",
  filledQuantity: "0",
  averagePrice: null,
  createdAt: "2026-01-31T12:00:00.000000Z",
  updatedAt: "2026-01-31T12:00:00.000000Z",
  sequence: 1,
  reason: null,
} as Order;

/** Return an order for a test: open, one at 1, unless said otherwise. */
export const sampleOrder = (change: Partial<Order>): Order => ({ ...ORDER, ...change });

/** Return a trade for a test, a second later for each id. */
export const sampleTrade = (id: number, change: Partial<Trade> = {}): Trade => ({
  id: String(id),
  tradingPair: "BTC-USD",
  price: "1",
  quantity: "1",
  buyOrderId: "1",
  sellOrderId: "2",
  aggressorType: "BUY",
  createdAt: new Date(id * 1_000).toISOString(),
  sequence: id,
  ...change,
});
