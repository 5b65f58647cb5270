import { create } from "zustand";
import { answered, client, type Order, type Trade } from "../api/client";
import { queries } from "../api/queries";
import { onOrder, onTrade } from "../feed/feed";
import { useFeed } from "../feed/store";
import { useSettings } from "../settings";
import { announce } from "./announce";
import { type Fill, fillOf, isOpen, isRepeat, newer } from "./orders";

const ORDERS_READ = 500;
const FILLS_KEPT = 1_000;
const TRADES_READ = 1_000;

interface Account {
  orders: Map<string, Order>;
  fills: Map<string, Fill>;
  loaded: boolean;
  error: unknown;
}

export const useAccount = create<Account>(() => ({
  orders: new Map(),
  fills: new Map(),
  loaded: false,
  error: null,
}));

/** Take an order's newer state; `quiet` where nobody needs a note about it. */
export function takeOrder(order: Order, quiet = false): void {
  if (order.userId !== useSettings.getState().userId || isRepeat(order)) return;
  const known = useAccount.getState().orders.get(order.id);
  if (known && !newer(order, known)) return;
  useAccount.setState(({ orders }) => ({ orders: new Map(orders).set(order.id, order) }));
  if (!quiet) announce(order, known);
}

/** Take trades that one of the account's orders is part of. */
export function takeTrades(trades: readonly Trade[]): void {
  const { orders, fills } = useAccount.getState();
  const more = trades.flatMap((trade) => (fills.has(trade.id) ? [] : fillOf(trade, orders)));
  if (more.length === 0) return;
  const all = [...more, ...fills.values()].sort((left, right) =>
    right.createdAt.localeCompare(left.createdAt),
  );
  useAccount.setState({
    fills: new Map(all.slice(0, FILLS_KEPT).map((fill) => [fill.id, fill])),
  });
}

/** Read the account's orders and, of their markets, the trades that filled them. */
export async function readAccount(): Promise<void> {
  const { userId, pair } = useSettings.getState();
  try {
    const query = { userId, limit: ORDERS_READ };
    const page = await answered(client.GET("/orders", { params: { query } }));
    if (useSettings.getState().userId !== userId) return;
    const { orders: known } = useAccount.getState();
    const orders = new Map(known);
    for (const order of page.orders) {
      if (isRepeat(order)) continue;
      const before = orders.get(order.id);
      if (!before || newer(order, before)) orders.set(order.id, order);
    }
    useAccount.setState({ orders, loaded: true, error: null });
    const filled = page.orders.filter((order) => order.averagePrice !== null);
    const pairs = new Set([pair, ...filled.map((order) => order.tradingPair)]);
    await Promise.all([...pairs].map(readFills));
  } catch (error) {
    useAccount.setState({ error });
  }
}

async function readFills(pair: string): Promise<void> {
  const params = { path: { pair }, query: { limit: TRADES_READ } };
  takeTrades(await answered(client.GET("/market/{pair}/trades", { params })));
}

/** Forget one account and read another. */
function change(): void {
  useAccount.setState({ orders: new Map(), fills: new Map(), loaded: false, error: null });
  void readAccount();
}

/** Start following the account; called once. */
export function startAccount(): void {
  onOrder((order) => takeOrder(order));
  let waiting: Trade[] = [];
  onTrade((trade) => {
    // The order's own update may come right after its trade.
    if (waiting.push(trade) === 1)
      setTimeout(() => {
        takeTrades(waiting);
        waiting = [];
      }, 150);
  });
  useSettings.subscribe((now, before) => now.userId !== before.userId && change());
  useFeed.subscribe((now, before) => {
    if (now.generation === before.generation) return;
    void readAccount();
    if (now.generation > 1) void queries.invalidateQueries();
  });
  void readAccount();
}

export const openOrders = (orders: Map<string, Order>) => [...orders.values()].filter(isOpen);
