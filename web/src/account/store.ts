import { create } from "zustand";
import { answered, client, type Fill, type Order, type Trade } from "../api/client";
import { queries } from "../api/queries";
import { onOrder, onTrade } from "../feed/feed";
import { useFeed } from "../feed/store";
import { useSettings } from "../settings";
import { announce } from "./announce";
import { bounded, fillKey, fillOf, forgetEnded, isOpen, isRepeat, newer } from "./orders";

const OPEN_READ = 1_000;
const ORDERS_READ = 500;
const ORDERS_KEPT = 2_000;
const FILLS_KEPT = 1_000;

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
  useAccount.setState(({ orders }) => ({
    orders: bounded(new Map(orders).set(order.id, order), ORDERS_KEPT),
  }));
  if (!quiet) announce(order, known);
}

/** Take trades that one of the account's orders is part of. */
export function takeTrades(trades: readonly Trade[]): void {
  const { orders } = useAccount.getState();
  takeFills(trades.flatMap((trade) => fillOf(trade, orders)));
}

function takeFills(found: readonly Fill[]): void {
  const { fills } = useAccount.getState();
  const more = found.filter((fill) => !fills.has(fillKey(fill)));
  if (more.length === 0) return;
  const all = [...more, ...fills.values()].sort((left, right) =>
    right.createdAt.localeCompare(left.createdAt),
  );
  useAccount.setState({
    fills: new Map(all.slice(0, FILLS_KEPT).map((fill) => [fillKey(fill), fill])),
  });
}

/** Read what is open, however old, and the newest of what the account ordered and traded. */
export async function readAccount(): Promise<void> {
  const { userId } = useSettings.getState();
  const before = [...useAccount.getState().orders.values()].filter(isOpen);
  try {
    const [open, newest, fills] = await Promise.all([
      readOrders({ userId, limit: OPEN_READ, status: ["OPEN", "PARTIALLY_FILLED"] }),
      readOrders({ userId, limit: ORDERS_READ }),
      answered(client.GET("/fills", { params: { query: { userId, limit: FILLS_KEPT } } })),
    ]);
    if (useSettings.getState().userId !== userId) return;
    const orders = new Map(useAccount.getState().orders);
    if (open.length < OPEN_READ) forgetEnded(orders, before, open);
    for (const order of [...open, ...newest]) {
      const known = orders.get(order.id);
      if (!known || newer(order, known)) orders.set(order.id, order);
    }
    useAccount.setState({ orders, loaded: true, error: null });
    takeFills(fills.fills);
  } catch (error) {
    useAccount.setState({ error });
  }
}

async function readOrders(query: { userId: number; limit: number; status?: string[] }) {
  return (await answered(client.GET("/orders", { params: { query } }))).orders;
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
