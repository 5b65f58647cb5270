import { divide, multiply, parse, read, snap, text } from "./decimal";
import type { Level } from "./depthBook";
import type { Draft, Market, PlaceOrder, Side } from "./types";

export interface Snapped {
  value: string;
  /** Why the value is not what was typed; empty where it is. */
  note: string;
}

/** Return a price on the market's ticks: down for a buyer, up for a seller. */
export function snapPrice(typed: string, market: Market, side: Side): Snapped {
  return snapped(typed, market.tickSize, side === "BUY" ? "down" : "up", "tick size");
}

/** Return an amount in whole lots. */
export function snapAmount(typed: string, market: Market): Snapped {
  return snapped(typed, market.lotSize, "down", "lot size");
}

function snapped(typed: string, step: string, way: "down" | "up", name: string): Snapped {
  if (typed.trim() === "") return { value: "", note: "" };
  const value = parse(typed);
  if (value === null) return { value: typed, note: "Not a number with at most 8 decimals." };
  const near = snap(value, read(step), way);
  if (near === value) return { value: typed.trim(), note: "" };
  return {
    value: text(near),
    note: `Changed from ${typed} to fit the ${name} of ${text(read(step))}.`,
  };
}

/** Return price times amount, or "" where one is missing. */
export function totalOf(price: string, amount: string): string {
  const [left, right] = [parse(price), parse(amount)];
  return left === null || right === null ? "" : text(multiply(left, right));
}

/** Return the amount, in whole lots, that a total buys at a price. */
export function amountOf(price: string, total: string, market: Market): string {
  const [left, right] = [parse(price), parse(total)];
  if (!left || right === null) return "";
  return text(snap(divide(right, left), read(market.lotSize), "down"));
}

export interface Estimate {
  filled: bigint;
  average: bigint;
  /** How far the average is from the best price, in 1e-8 of a percent. */
  slippage: bigint;
  whole: boolean;
}

/** Walk the other side of the book for an amount. */
export function estimate(levels: readonly Level[], amount: bigint): Estimate | null {
  const best = levels[0]?.price;
  if (!best || amount <= 0n) return null;
  let filled = 0n;
  let spent = 0n;
  for (const level of levels) {
    const taken = level.quantity < amount - filled ? level.quantity : amount - filled;
    filled += taken;
    spent += taken * level.price;
    if (filled === amount) break;
  }
  const average = spent / filled;
  const away = average > best ? average - best : best - average;
  return { filled, average, slippage: divide(away * 100n, best), whole: filled === amount };
}

const FAR_PERCENT = 5n;

/** Say whether a limit price is so far from the market that it may be a slip of the hand. */
export function isFar(draft: Draft, bestBid: bigint | undefined, bestAsk: bigint | undefined) {
  const price = parse(draft.price);
  if (draft.kind !== "LIMIT" || !price) return false;
  const bound = draft.side === "BUY" ? (bestAsk ?? bestBid) : (bestBid ?? bestAsk);
  if (!bound) return false;
  const away = price > bound ? price - bound : bound - price;
  return away * 100n > bound * FAR_PERCENT;
}

/** Return what is wrong with a draft, by field; empty where it can be sent. */
export function faults(draft: Draft, market: Market): Partial<Record<"price" | "amount", string>> {
  const found: Partial<Record<"price" | "amount", string>> = {};
  const price = parse(draft.price);
  const amount = parse(draft.amount);
  if (draft.kind === "LIMIT" && (price === null || price <= 0n)) found.price = "Enter a price.";
  if (amount === null || amount <= 0n) found.amount = "Enter an amount.";
  else if (draft.kind === "LIMIT" && price && multiply(price, amount) < read(market.minNotional))
    found.amount = `The total is below the minimum of ${market.minNotional} ${market.quoteCurrency}.`;
  return found;
}

/** Return the request of a draft. */
export function request(draft: Draft, pair: string, userId: number, key: string): PlaceOrder {
  const common = {
    tradingPair: pair,
    type: draft.side,
    userId,
    quantity: draft.amount.trim(),
    clientOrderId: key,
    selfTradePrevention: "NONE" as const,
  };
  if (draft.kind === "MARKET") {
    const timeInForce = draft.tif === "FOK" ? ("FOK" as const) : ("IOC" as const);
    return { ...common, orderType: "MARKET", timeInForce, postOnly: false };
  }
  return {
    ...common,
    orderType: "LIMIT",
    price: draft.price.trim(),
    timeInForce: draft.tif,
    postOnly: draft.postOnly,
  };
}
