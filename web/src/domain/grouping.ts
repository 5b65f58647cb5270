import { read, snap, text } from "./decimal";
import type { Level } from "./depthBook";

export interface Row {
  price: bigint;
  quantity: bigint;
  /** All that is up to here, from the best price. */
  cumulative: bigint;
}

const FACTORS = [1n, 2n, 5n, 10n, 20n, 50n, 100n, 500n, 1000n];

/** Return the price steps that a book can be grouped by. */
export function steps(tickSize: string): string[] {
  return FACTORS.map((factor) => text(read(tickSize) * factor));
}

/** Put levels, best first, into price steps: bids down, asks up, so that no price looks better. */
export function grouped(
  levels: readonly Level[],
  step: bigint,
  side: "bid" | "ask",
  most: number,
): Row[] {
  const rows: Row[] = [];
  let cumulative = 0n;
  for (const level of levels) {
    const price = snap(level.price, step, side === "bid" ? "down" : "up");
    cumulative += level.quantity;
    const last = rows.at(-1);
    if (last?.price === price) {
      last.quantity += level.quantity;
      last.cumulative = cumulative;
      continue;
    }
    if (rows.length === most) break;
    rows.push({ price, quantity: level.quantity, cumulative });
  }
  return rows;
}
