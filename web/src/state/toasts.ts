import { create } from "zustand";

export type ToastKind = "accepted" | "filled" | "partial" | "cancelled" | "refused" | "info";
export interface Toast {
  id: number;
  kind: ToastKind;
  title: string;
  detail: string;
}

const SHOWN = 4;
const LIFE_MS = 6_000;
let last = 0;

export const useToasts = create<{ toasts: Toast[] }>(() => ({ toasts: [] }));

/** Show a note for a few seconds. */
export function toast(kind: ToastKind, title: string, detail = ""): void {
  last += 1;
  const id = last;
  useToasts.setState(({ toasts }) => ({
    toasts: [...toasts, { id, kind, title, detail }].slice(-SHOWN),
  }));
  setTimeout(() => dismiss(id), LIFE_MS);
}

export function dismiss(id: number): void {
  useToasts.setState(({ toasts }) => ({ toasts: toasts.filter((one) => one.id !== id) }));
}
