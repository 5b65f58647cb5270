import { create } from "zustand";
import type { Trade } from "../api/client";
import type { Level } from "./depthBook";

export type Connection = "connecting" | "live" | "lost";
export interface BookView {
  pair: string;
  updateId: number;
  bids: Level[];
  asks: Level[];
}

/** What the feed has told last; numbers that change many times a second change once a frame. */
interface Feed {
  connection: Connection;
  /** Milliseconds since 1970 at which the connection was lost. */
  lostAt: number | null;
  roundTripMs: number | null;
  lagMs: number | null;
  /** null until the pair's first snapshot. */
  book: BookView | null;
  bookError: unknown;
  trades: Trade[] | null;
  tradesError: unknown;
  /** Counts fresh starts: who keeps history reads it anew. */
  generation: number;
}

export const useFeed = create<Feed>(() => ({
  connection: "connecting",
  lostAt: null,
  roundTripMs: null,
  lagMs: null,
  book: null,
  bookError: null,
  trades: null,
  tradesError: null,
  generation: 0,
}));
