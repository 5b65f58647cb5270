import type { Order } from "./types";

const SENTENCES: Record<string, string> = {
  CANCELLED_BY_USER: "Cancelled on request.",
  WOULD_CROSS: "The post-only order would have traded at once.",
  NOT_ENOUGH_TO_FILL: "The book cannot fill the whole order at once.",
  UNFILLED_REMAINDER: "What could not be filled at once was cancelled.",
  NO_LIQUIDITY: "The book had nothing left to trade against.",
  PROTECTION_PRICE: "The next price lay beyond the market's protection price.",
  BUDGET_SPENT: "What you have does not pay for more.",
  SELF_TRADE: "You would have traded with yourself.",
};

/** Return a reason in words. */
export function reason(order: Order): string {
  if (!order.reason) return "";
  return SENTENCES[order.reason] ?? `${order.reason.toLowerCase().replaceAll("_", " ")}.`;
}
