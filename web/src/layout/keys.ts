import { useEffect } from "react";
import type { Side } from "../domain/types";
import { useDraft } from "../state/draft";
import { useScreen } from "../state/screen";

export const KEYS: [string, string][] = [
  ["/", "Choose a market"],
  ["B", "Buy: go to the order form"],
  ["S", "Sell: go to the order form"],
  ["↑ ↓", "Move a price or amount by one step (Shift: by ten)"],
  ["Ctrl + Enter", "Send the order"],
  ["Esc", "Close what is open, leave a field"],
  ["?", "This help"],
];

/** Listen to the keys that work everywhere on the screen. */
export function useKeys(): void {
  useEffect(() => {
    document.addEventListener("keydown", onKey);
    return () => document.removeEventListener("keydown", onKey);
  }, []);
}

function onKey(event: KeyboardEvent): void {
  const target = event.target as HTMLElement;
  if (document.querySelector("dialog[open]")) return;
  if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) {
    event.preventDefault();
    document.querySelector<HTMLFormElement>(".order-form")?.requestSubmit();
  } else if (event.key === "Escape") {
    useScreen.setState({ picker: false, sheet: false });
    target.blur();
  } else if (!target.matches("input, select, textarea") && !event.ctrlKey && !event.metaKey) {
    const act = ACTIONS[event.key.toLowerCase()];
    if (!act) return;
    event.preventDefault();
    act();
  }
}

const ACTIONS: Record<string, () => void> = {
  "/": () => useScreen.setState({ picker: true }),
  "?": () => useScreen.setState({ help: true }),
  b: () => toForm("BUY"),
  s: () => toForm("SELL"),
};

/** Choose a side and go to the form's first field. */
export function toForm(side: Side): void {
  useDraft.setState({ side });
  useScreen.setState({ sheet: true });
  requestAnimationFrame(() => {
    const first = document.querySelector<HTMLInputElement>("#order-price, #order-amount");
    first?.focus();
    first?.select();
  });
}
