import { create } from "zustand";

export type PhoneTab = "chart" | "book" | "trades" | "orders";

/** What is open on the screen at the moment; a reload forgets it. */
interface Screen {
  picker: boolean;
  help: boolean;
  phoneTab: PhoneTab;
  /** On a phone the order form is a sheet. */
  sheet: boolean;
}

export const useScreen = create<Screen>(() => ({
  picker: false,
  help: false,
  phoneTab: "chart",
  sheet: false,
}));
