import { create } from "zustand";
import type { Side } from "../api/client";

export type Tif = "GTC" | "IOC" | "FOK";

/** What the order form holds: text as it was typed. */
export interface Draft {
  side: Side;
  kind: "LIMIT" | "MARKET";
  price: string;
  amount: string;
  /** A total typed by hand; empty while it follows price and amount. */
  total: string;
  tif: Tif;
  postOnly: boolean;
}

export const useDraft = create<Draft>(() => ({
  side: "BUY",
  kind: "LIMIT",
  price: "",
  amount: "",
  total: "",
  tif: "GTC",
  postOnly: false,
}));
