import type { Order } from "../api/client";
import { brief, group, read } from "../decimal";
import { toast } from "../ui/toasts";

/** Tell the trader in words what became of an order. */
export function announce(order: Order, known: Order | undefined): void {
  const [base, quote] = order.tradingPair.split("-");
  const what = `${order.type === "BUY" ? "Buy" : "Sell"} ${group(order.quantity)} ${base}`;
  const at = order.price ? ` at ${group(order.price)} ${quote}` : " at market";
  const filled = `${group(order.filledQuantity)} of ${group(order.quantity)} ${base}`;
  const average = order.averagePrice ? `, average ${brief(order.averagePrice)} ${quote}` : "";
  const more = read(order.filledQuantity) > read(known?.filledQuantity);
  if (order.status === "FILLED") toast("filled", "Order filled", `${what}${average}`);
  else if (order.status === "REJECTED")
    toast("refused", "Order refused", `${what}${at}: ${reason(order)}`);
  else if (order.status === "CANCELLED" || order.status === "EXPIRED")
    toast("cancelled", `Order ${order.status.toLowerCase()}`, `${filled} filled. ${reason(order)}`);
  else if (order.status === "PARTIALLY_FILLED" && more)
    toast("partial", "Order partly filled", `${filled}${average}`);
  else if (!known) toast("accepted", "Order accepted", `${what}${at}`);
  else toast("info", "Order amended", `${what}${at}`);
}

const SENTENCES: Record<string, string> = {
  CANCELLED_BY_USER: "Cancelled on request.",
  WOULD_CROSS: "The post-only order would have traded at once.",
  NOT_ENOUGH_TO_FILL: "The book cannot fill the whole order at once.",
  UNFILLED_REMAINDER: "What could not be filled at once was cancelled.",
  NO_LIQUIDITY: "The book had nothing left to trade against.",
  PROTECTION_PRICE: "The next price lay beyond the market's protection price.",
  SELF_TRADE: "You would have traded with yourself.",
};

/** Return a reason in words. */
export function reason(order: Order): string {
  if (!order.reason) return "";
  return SENTENCES[order.reason] ?? `${order.reason.toLowerCase().replaceAll("_", " ")}.`;
}
