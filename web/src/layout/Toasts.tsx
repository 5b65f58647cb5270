import { dismiss, type ToastKind, useToasts } from "../state/toasts";

const SIGNS: Record<ToastKind, string> = {
  accepted: "✓",
  filled: "●",
  partial: "◐",
  cancelled: "✕",
  refused: "!",
  info: "i",
};

export function Toasts() {
  const toasts = useToasts((state) => state.toasts);
  return (
    <div className="toasts" role="status" aria-live="polite" data-testid="toasts">
      {toasts.map((toast) => (
        <div key={toast.id} className="toast" data-kind={toast.kind} data-testid="toast">
          <span className="toast-sign" aria-hidden="true">
            {SIGNS[toast.kind]}
          </span>
          <div className="min-w-0 flex-1">
            <div className="font-semibold">{toast.title}</div>
            {toast.detail && <div className="text-dim num">{toast.detail}</div>}
          </div>
          <button
            type="button"
            className="icon-button"
            aria-label="Dismiss note"
            onClick={() => dismiss(toast.id)}
          >
            ✕
          </button>
        </div>
      ))}
    </div>
  );
}
