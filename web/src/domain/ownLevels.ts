import type { PriceRange } from "./candles";
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

/** Put the account's open orders of one market into levels; those without a price wait nowhere. */
export function ownLevels(orders: Iterable<Order>): OwnLevel[] {
  const levels = new Map<string, OwnLevel>();
  for (const { type: side, price, quantity, filledQuantity } of orders) {
    if (price === null) continue;
    const left = read(quantity) - read(filledQuantity);
    const known = levels.get(`${side} ${price}`);
    if (known) {
      known.quantity += left;
      known.orders += 1;
    } else levels.set(`${side} ${price}`, { side, price: read(price), quantity: left, orders: 1 });
  }
  return [...levels.values()];
}

/**
 * Choose the levels that a chart can show and still be read: inside its range, and of these the
 * `most` of each side that are nearest to the market. `folded` counts the orders left out.
 */
export function nearMarket(
  levels: readonly OwnLevel[],
  range: PriceRange | null,
  most: number,
): { shown: OwnLevel[]; folded: number } {
  const inside = levels.filter(({ price }) => {
    const drawn = drawable(price);
    return range !== null && drawn >= range.low && drawn <= range.high;
  });
  const nearest = (side: Side) =>
    inside
      .filter((level) => level.side === side)
      .sort((left, right) => Number(left.price - right.price) * (side === "BUY" ? -1 : 1))
      .slice(0, most);
  const shown = [...nearest("BUY"), ...nearest("SELL")];
  return { shown, folded: count(levels) - count(shown) };
}

const count = (levels: readonly OwnLevel[]) => levels.reduce((sum, { orders }) => sum + orders, 0);
