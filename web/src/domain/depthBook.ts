import { read } from "./decimal";

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
  private bids = new Ladder(-1);
  private asks = new Ladder(1);
  private early: DepthUpdate[] = [];

  /** Forget everything: updates are kept until the next snapshot. */
  reset(): void {
    this.updateId = -1;
    this.bids.load([]);
    this.asks.load([]);
    this.early = [];
  }

  /** Start from a snapshot and what came since; false where something between is missing. */
  load(snapshot: Snapshot): boolean {
    this.bids.load(snapshot.bids);
    this.asks.load(snapshot.asks);
    this.updateId = snapshot.updateId;
    const early = this.early;
    this.early = [];
    // All are taken, also behind a gap: those after it wait for the next snapshot.
    return !early.map((update) => this.apply(update)).includes("gap");
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
    for (const row of update.bids) this.bids.put(row);
    for (const row of update.asks) this.asks.put(row);
    this.updateId = update.lastUpdateId;
    return "applied";
  }

  /** Return both sides, best price first; later changes do not show in them. */
  sides(): { bids: Level[]; asks: Level[] } {
    return { bids: this.bids.levels(), asks: this.asks.levels() };
  }
}

/** One side, always sorted: a frame takes it as it is, however many levels changed. */
class Ladder {
  private rows: Level[] = [];

  /** `way` is 1 where the lowest price is the best, -1 where the highest is. */
  constructor(private readonly way: 1 | -1) {}

  load(rows: LevelText[]): void {
    this.rows = rows
      .map((row) => ({ price: read(row.price), quantity: read(row.quantity) }))
      .sort((left, right) => this.order(left.price, right.price));
  }

  put(row: LevelText): void {
    const level = { price: read(row.price), quantity: read(row.quantity) };
    const at = this.find(level.price);
    const known = this.rows[at]?.price === level.price ? 1 : 0;
    if (level.quantity === 0n) this.rows.splice(at, known);
    else this.rows.splice(at, known, level);
  }

  levels(): Level[] {
    return this.rows.slice();
  }

  /** Return where a price is, or would have to be. */
  private find(price: bigint): number {
    let low = 0;
    let high = this.rows.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      const there = this.rows[middle]?.price;
      if (there !== undefined && this.order(there, price) < 0) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  private order(left: bigint, right: bigint): number {
    if (left === right) return 0;
    return left < right ? -this.way : this.way;
  }
}
