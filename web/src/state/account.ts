import { create } from "zustand";
import { bounded, fillKey, fillOf, forgetEnded, isOpen, isRepeat, newer } from "../domain/orders";
import type { Fill, Order, Trade } from "../domain/types";
import { announce } from "./announce";
import { useSettings } from "./settings";

const ORDERS_KEPT = 2_000;
const FILLS_KEPT = 1_000;
/** The place in a list from which it has to be read anew. */
const NEWEST = "";

export type ListName = "open" | "history" | "fills";
/** Where the older rows of each list begin; null where all are here. */
export type Next = Record<ListName, string | null>;

interface Account {
  orders: Map<string, Order>;
  fills: Map<string, Fill>;
  next: Next;
  /** How many are kept; more where the trader has asked for older ones. */
  kept: { orders: number; fills: number };
  loaded: boolean;
  error: unknown;
}

const nobody = (): Account => ({
  orders: new Map(),
  fills: new Map(),
  next: { open: null, history: null, fills: null },
  kept: { orders: ORDERS_KEPT, fills: FILLS_KEPT },
  loaded: false,
  error: null,
});

export const useAccount = create<Account>(nobody);

export const forgetAccount = () => useAccount.setState(nobody());

export const openOrders = (): Order[] => [...useAccount.getState().orders.values()].filter(isOpen);

/** Take an order's newer state, and tell the trader of it. */
export function takeOrder(order: Order): void {
  if (order.userId !== useSettings.getState().userId || isRepeat(order)) return;
  const known = useAccount.getState().orders.get(order.id);
  if (known && !newer(order, known)) return;
  useAccount.setState(({ orders, kept, next }) => {
    const all = new Map(orders).set(order.id, order);
    const { size } = all;
    const left = bounded(all, kept.orders);
    return { orders: left, next: left.size < size ? { ...next, history: NEWEST } : next };
  });
  announce(order, known);
}

/** Take trades that one of the account's orders is part of. */
export function takeTrades(trades: readonly Trade[]): void {
  const { orders } = useAccount.getState();
  takeFills(trades.flatMap((trade) => fillOf(trade, orders)));
}

function takeFills(found: readonly Fill[]): void {
  const { fills, kept, next } = useAccount.getState();
  const more = found.filter((fill) => !fills.has(fillKey(fill)));
  if (more.length === 0) return;
  const all = [...more, ...fills.values()].sort((left, right) =>
    right.createdAt.localeCompare(left.createdAt),
  );
  useAccount.setState({
    fills: new Map(all.slice(0, kept.fills).map((fill) => [fillKey(fill), fill])),
    next: all.length > kept.fills ? { ...next, fills: NEWEST } : next,
  });
}

/** What was read of an account: the newest of what is open, has ended and was filled. */
export interface Reading {
  open: Order[];
  ended: Order[];
  fills: Fill[];
  next: Next;
}

/** Take a reading; what was open `before` it and is not among what is open now has ended. */
export function takeReading(before: readonly Order[], read: Reading): void {
  const orders = new Map(useAccount.getState().orders);
  forgetEnded(orders, before, read.open);
  join(orders, [...read.open, ...read.ended]);
  useAccount.setState({ orders, next: read.next, loaded: true, error: null });
  takeFills(read.fills);
}

/** Take a page of older orders; returns how many were not known. */
export function takeOlderOrders(list: "open" | "history", page: Order[], next: string | null) {
  const orders = new Map(useAccount.getState().orders);
  const { size } = orders;
  join(orders, page);
  useAccount.setState((state) => ({
    orders,
    next: { ...state.next, [list]: next },
    kept: { ...state.kept, orders: Math.max(state.kept.orders, orders.size) },
  }));
  return orders.size - size;
}

/** Take a page of older fills; returns how many were not known. */
export function takeOlderFills(page: Fill[], next: string | null): number {
  const { fills, kept } = useAccount.getState();
  const more = page.filter((fill) => !fills.has(fillKey(fill))).length;
  useAccount.setState((state) => ({
    next: { ...state.next, fills: next },
    kept: { ...kept, fills: Math.max(kept.fills, fills.size + more) },
  }));
  takeFills(page);
  return more;
}

function join(orders: Map<string, Order>, more: readonly Order[]): void {
  for (const order of more) {
    const known = orders.get(order.id);
    if (!known || newer(order, known)) orders.set(order.id, order);
  }
}
