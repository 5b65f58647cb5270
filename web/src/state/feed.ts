import { create } from "zustand";
import type { Level } from "../domain/depthBook";
import type { Trade } from "../domain/types";

export type Connection = "connecting" | "live" | "lost";
export interface BookView {
  pair: string;
  updateId: number;
  bids: Level[];
  asks: Level[];
}

/** What the feed has told last; numbers that change many times a second change once a frame. */
interface Told {
  connection: Connection;
  /** Milliseconds since 1970 at which the connection was lost. */
  lostAt: number | null;
  /** How long an answer takes; null while it is not known. */
  roundTripMs: number | null;
  /** null until the pair's first snapshot. */
  book: BookView | null;
  bookError: unknown;
  trades: Trade[] | null;
  tradesError: unknown;
  /** Counts fresh starts: who keeps history reads it anew. */
  generation: number;
}

export const useFeed = create<Told>(() => ({
  connection: "connecting",
  lostAt: null,
  roundTripMs: null,
  book: null,
  bookError: null,
  trades: null,
  tradesError: null,
  generation: 0,
}));
