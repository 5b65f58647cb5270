import { DepthBook, type DepthUpdate, type Snapshot } from "../domain/depthBook";
import { useFeed } from "../state/feed";
import { oncePerFrame } from "./frame";

const PAUSE_MS = 100;
const PAUSE_MOST_MS = 2_000;
/** A failure is told when so many readings have failed. */
const TRIES = 3;

/** Read a book; an aborted reading may throw. */
export type ReadBook = (pair: string, signal: AbortSignal) => Promise<Snapshot>;

/** The book of one pair at a time: joined from snapshots and updates, shown once a frame. */
export class BookFeed {
  private readonly book = new DepthBook();
  private pair: string | null = null;
  private reading = new AbortController();

  constructor(private readonly readBook: ReadBook) {}

  /** Forget what was known; updates are kept until `read` has brought a snapshot. */
  begin(pair: string): void {
    this.reading.abort();
    this.pair = pair;
    this.book.reset();
  }

  /** Take an update in its turn; a gap reads the book anew. */
  take(update: DepthUpdate): void {
    const applied = this.book.apply(update);
    if (applied === "gap") void this.read();
    else if (applied === "applied") this.paint();
  }

  /** Read a fresh book; again, a little later each time, while it is older than the updates. */
  async read(): Promise<void> {
    const { pair } = this;
    if (pair === null) return;
    this.reading.abort();
    this.reading = new AbortController();
    const { signal } = this.reading;
    for (let attempt = 1; !signal.aborted; attempt += 1) {
      try {
        const snapshot = await this.readBook(pair, signal);
        if (signal.aborted) return;
        if (this.book.load(snapshot)) return this.paint();
      } catch (error) {
        if (signal.aborted) return;
        if (attempt >= TRIES) return useFeed.setState({ bookError: error });
      }
      const pause = Math.min(PAUSE_MS * 2 ** (attempt - 1), PAUSE_MOST_MS);
      await new Promise((done) => setTimeout(done, pause));
    }
  }

  private readonly paint = oncePerFrame(() => {
    const { book, pair } = this;
    if (pair === null || book.updateId < 0) return;
    const view = { pair, updateId: book.updateId, ...book.sides() };
    useFeed.setState({ book: view, bookError: null });
  });
}
