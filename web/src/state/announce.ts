import { brief, group, read } from "../domain/decimal";
import { reason } from "../domain/reasons";
import type { Order } from "../domain/types";
import { toast } from "./toasts";

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
