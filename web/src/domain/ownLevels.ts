import { drawable, read } from "./decimal";
import type { Order, Side } from "./types";

/** The account's open orders of one side at one price. */
export interface OwnLevel {
  side: Side;
  price: bigint;
  /** What is left to be traded of all of them. */
  quantity: bigint;
  orders: number;
}

interface Range {
  low: number;
  high: number;
}

/**
 * Choose the levels that a chart can show and still be read: inside its range, and of these the
 * `most` of each side that are nearest to the market. `folded` counts the orders left out.
 */
export function nearMarket(
  orders: Iterable<Order>,
  range: Range | null,
  most: number,
): { shown: OwnLevel[]; folded: number } {
  const levels = new Map<string, OwnLevel>();
  let all = 0;
  for (const order of orders) {
    if (order.price === null) continue;
    all += 1;
    const key = `${order.type} ${order.price}`;
    const left = read(order.quantity) - read(order.filledQuantity);
    const known = levels.get(key);
    if (known) {
      known.quantity += left;
      known.orders += 1;
    } else
      levels.set(key, { side: order.type, price: read(order.price), quantity: left, orders: 1 });
  }
  const inside = [...levels.values()].filter(({ price }) => {
    const drawn = drawable(price);
    return range !== null && drawn >= range.low && drawn <= range.high;
  });
  const nearest = (side: Side) =>
    inside
      .filter((level) => level.side === side)
      .sort((left, right) => Number(left.price - right.price) * (side === "BUY" ? -1 : 1))
      .slice(0, most);
  const shown = [...nearest("BUY"), ...nearest("SELL")];
  return { shown, folded: shown.reduce((left, level) => left - level.orders, all) };
}
