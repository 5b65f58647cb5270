import { read } from "../decimal";

export interface LevelText {
  price: string;
  quantity: string;
}
export interface Snapshot {
  updateId: number;
  bids: LevelText[];
  asks: LevelText[];
}
export interface DepthUpdate {
  firstUpdateId: number;
  lastUpdateId: number;
  bids: LevelText[];
  asks: LevelText[];
}
export interface Level {
  price: bigint;
  quantity: bigint;
}
export type Applied = "applied" | "old" | "gap" | "waiting";

/** A market's book, joined from a snapshot and the updates after it by their update ids. */
export class DepthBook {
  updateId = -1;
  private bids = new Map<bigint, bigint>();
  private asks = new Map<bigint, bigint>();
  private early: DepthUpdate[] = [];

  /** Forget everything: updates are kept until the next snapshot. */
  reset(): void {
    this.updateId = -1;
    this.bids.clear();
    this.asks.clear();
    this.early = [];
  }

  /** Start from a snapshot and what came since; false where something between is missing. */
  load(snapshot: Snapshot): boolean {
    this.bids = levels(snapshot.bids);
    this.asks = levels(snapshot.asks);
    this.updateId = snapshot.updateId;
    const early = this.early;
    this.early = [];
    return early.every((update) => this.apply(update) !== "gap");
  }

  /** Apply an update in its turn; "gap" asks for a new snapshot. */
  apply(update: DepthUpdate): Applied {
    if (this.updateId < 0) {
      this.early.push(update);
      return "waiting";
    }
    if (update.lastUpdateId <= this.updateId && update.firstUpdateId <= this.updateId + 1)
      return "old";
    if (update.firstUpdateId > this.updateId + 1) {
      this.reset();
      this.early.push(update);
      return "gap";
    }
    put(this.bids, update.bids);
    put(this.asks, update.asks);
    this.updateId = update.lastUpdateId;
    return "applied";
  }

  /** Return both sides, best price first. */
  sides(): { bids: Level[]; asks: Level[] } {
    return {
      bids: sorted(this.bids, (left, right) => (left > right ? -1 : 1)),
      asks: sorted(this.asks, (left, right) => (left < right ? -1 : 1)),
    };
  }
}

function levels(rows: LevelText[]): Map<bigint, bigint> {
  return new Map(rows.map((row) => [read(row.price), read(row.quantity)]));
}

function put(side: Map<bigint, bigint>, rows: LevelText[]): void {
  for (const row of rows) {
    const quantity = read(row.quantity);
    if (quantity === 0n) side.delete(read(row.price));
    else side.set(read(row.price), quantity);
  }
}

function sorted(side: Map<bigint, bigint>, order: (l: bigint, r: bigint) => number): Level[] {
  return [...side.keys()].sort(order).map((price) => ({ price, quantity: side.get(price) ?? 0n }));
}
