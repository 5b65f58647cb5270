import { isGap, merged } from "../domain/tape";
import type { Trade } from "../domain/types";
import { useFeed } from "../state/feed";
import { onceEvery } from "./frame";

/** Faster than anybody reads; each time all rows of the list move. */
const PAINT_EVERY_MS = 100;

/** Read the last trades of a pair. */
export type ReadTrades = (pair: string) => Promise<Trade[]>;

/** The last trades of one pair at a time: each once, those read joined to those heard. */
export class TradesFeed {
  private pair: string | null = null;
  private pending: Trade[] = [];

  constructor(private readonly readTrades: ReadTrades) {}

  begin(pair: string): void {
    this.pair = pair;
    this.pending = [];
  }

  /** Take a trade; where one before it is missing, read the last ones. */
  take(trade: Trade): void {
    const { pending } = this;
    const newest = pending.length > 0 ? merged([], pending) : (useFeed.getState().trades ?? []);
    if (isGap(newest, trade)) void this.read();
    pending.push(trade);
    this.paint();
  }

  async read(): Promise<void> {
    const { pair } = this;
    if (pair === null) return;
    try {
      const trades = await this.readTrades(pair);
      if (this.pair !== pair) return;
      this.pending.push(...trades);
      useFeed.setState({ tradesError: null });
      this.paint();
    } catch (error) {
      if (this.pair === pair) useFeed.setState({ tradesError: error });
    }
  }

  private readonly paint = onceEvery(PAINT_EVERY_MS, () => {
    const more = this.pending;
    this.pending = [];
    useFeed.setState(({ trades }) => ({ trades: merged(trades ?? [], more) }));
  });
}
