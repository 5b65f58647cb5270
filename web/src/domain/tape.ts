import type { Trade } from "./types";

const KEPT = 500;

/** Return the newest trades first, each once, whichever way and order they came. */
export function merged(known: readonly Trade[], more: readonly Trade[]): Trade[] {
  const newest = known[0]?.sequence ?? -1;
  // As a rule they come one by one, each newer than the one before it.
  if (more.every((trade, index) => trade.sequence > (more[index - 1]?.sequence ?? newest)))
    return [...more].reverse().concat(known).slice(0, KEPT);
  const byId = new Map<string, Trade>();
  for (const trade of known) byId.set(trade.id, trade);
  for (const trade of more) byId.set(trade.id, trade);
  return [...byId.values()].sort((left, right) => right.sequence - left.sequence).slice(0, KEPT);
}

/** Say whether a trade is missing between the newest known one and the next (ids count by one). */
export function isGap(known: readonly Trade[], next: Trade): boolean {
  const newest = known[0];
  return newest !== undefined && BigInt(next.id) > BigInt(newest.id) + 1n;
}
