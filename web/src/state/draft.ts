import { create } from "zustand";
import type { Draft } from "../domain/types";

export const useDraft = create<Draft>(() => ({
  side: "BUY",
  kind: "LIMIT",
  price: "",
  amount: "",
  total: "",
  tif: "GTC",
  postOnly: false,
}));
