import { create } from "zustand";
import { persist } from "zustand/middleware";
import type { IndicatorName, IntervalName } from "../domain/types";

export type Theme = "dark" | "light";

/** What a trader has chosen; it survives a reload. */
interface Settings {
  pair: string;
  interval: IntervalName;
  theme: Theme;
  userId: number;
  indicators: IndicatorName[];
  /** Widths and heights of panels, in CSS pixels. */
  layout: { book: number; order: number; below: number };
  set: (change: Partial<Omit<Settings, "set">>) => void;
}

const light = () =>
  typeof matchMedia === "function" && matchMedia("(prefers-color-scheme: light)").matches;

export const useSettings = create<Settings>()(
  persist(
    (set) => ({
      pair: "BTC-USD",
      interval: "1m",
      theme: light() ? "light" : "dark",
      userId: 1,
      indicators: [],
      layout: { book: 300, order: 300, below: 250 },
      set: (change) => set(change),
    }),
    { name: "forkast.settings", version: 1 },
  ),
);
