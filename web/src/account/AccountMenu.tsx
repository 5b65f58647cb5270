import { useState } from "react";
import { useSettings } from "../state/settings";

/** Who trades: the exchange has users but no passwords. */
export function AccountMenu() {
  const { userId, set } = useSettings();
  const [open, setOpen] = useState(false);
  const [typed, setTyped] = useState(String(userId));
  const good = /^[1-9]\d{0,14}$/.test(typed);
  const save = (event: React.FormEvent) => {
    event.preventDefault();
    if (!good) return;
    set({ userId: Number(typed) });
    setOpen(false);
  };
  return (
    <div className="picker">
      <button
        type="button"
        className="button"
        data-testid="account-button"
        aria-expanded={open}
        onClick={() => setOpen(!open)}
      >
        User {userId}
      </button>
      {open && (
        <form className="popover account-menu" onSubmit={save}>
          <label className="field-label" htmlFor="user-id">
            Trade as user
          </label>
          <input
            id="user-id"
            className="input"
            inputMode="numeric"
            data-testid="user-id"
            value={typed}
            aria-invalid={!good}
            onChange={(event) => setTyped(event.target.value)}
            onKeyDown={(event) => event.key === "Escape" && setOpen(false)}
          />
          <button type="submit" className="button primary" data-testid="user-save" disabled={!good}>
            Use this user
          </button>
        </form>
      )}
    </div>
  );
}
