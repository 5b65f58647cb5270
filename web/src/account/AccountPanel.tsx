import { useMemo, useState } from "react";
import type { Side } from "../api/client";
import { useSettings } from "../settings";
import { Failure } from "../ui/Failure";
import { CancelAll } from "./CancelAll";
import { download } from "./csv";
import { FillsTable } from "./FillsTable";
import { OrdersTable } from "./OrdersTable";
import { isOpen } from "./orders";
import { readAccount, useAccount } from "./store";

type Tab = "open" | "history" | "fills";
const TABS: Record<Tab, string> = {
  open: "Open orders",
  history: "Order history",
  fills: "Fills",
};
const SHOWN = 200;

/** The account's orders and fills, with filters that hold for all three tabs. */
export function AccountPanel() {
  const pair = useSettings((state) => state.pair);
  const orders = useAccount((state) => state.orders);
  const allFills = useAccount((state) => state.fills);
  const error = useAccount((state) => state.error);
  const loaded = useAccount((state) => state.loaded);
  const [tab, setTab] = useState<Tab>("open");
  const [onlyPair, setOnlyPair] = useState(false);
  const [side, setSide] = useState<Side | "">("");
  const rows = useMemo(() => {
    const wanted = <T extends { tradingPair: string; type: Side }>(list: Iterable<T>) =>
      [...list].filter(
        (one) => (!onlyPair || one.tradingPair === pair) && (side === "" || one.type === side),
      );
    const all = wanted(orders.values()).sort((left, right) =>
      right.createdAt.localeCompare(left.createdAt),
    );
    return {
      open: all.filter(isOpen),
      history: all.filter((order) => !isOpen(order)),
      fills: wanted(allFills.values()),
    };
  }, [orders, allFills, onlyPair, pair, side]);
  const order: Tab[] = ["open", "history", "fills"];
  const onArrow = (event: React.KeyboardEvent) => {
    const step = event.key === "ArrowRight" ? 1 : event.key === "ArrowLeft" ? -1 : 0;
    if (!step) return;
    const next = order[(order.indexOf(tab) + step + 3) % 3] ?? "open";
    setTab(next);
    document.getElementById(`tab-${next}`)?.focus();
  };
  return (
    <section className="panel account" aria-label="Your orders" data-testid="account">
      <header className="panel-head wrap">
        <div role="tablist" aria-label="Your orders" className="tabs">
          {order.map((name) => (
            <button
              key={name}
              id={`tab-${name}`}
              type="button"
              role="tab"
              className="tab"
              aria-selected={tab === name}
              aria-controls="account-rows"
              tabIndex={tab === name ? 0 : -1}
              data-testid={`tab-${name}`}
              onClick={() => setTab(name)}
              onKeyDown={onArrow}
            >
              {TABS[name]} ({rows[name].length})
            </button>
          ))}
        </div>
        <div className="account-tools">
          <label className="check">
            <input
              type="checkbox"
              data-testid="filter-pair"
              checked={onlyPair}
              onChange={(event) => setOnlyPair(event.target.checked)}
            />
            Only {pair.replace("-", "/")}
          </label>
          <select
            className="select"
            aria-label="Side"
            data-testid="filter-side"
            value={side}
            onChange={(event) => setSide(event.target.value as Side | "")}
          >
            <option value="">Both sides</option>
            <option value="BUY">Buys</option>
            <option value="SELL">Sells</option>
          </select>
          <button
            type="button"
            className="button"
            data-testid="export-csv"
            disabled={rows[tab].length === 0}
            onClick={() => download(`forkast-${tab}.csv`, rows[tab])}
          >
            Export CSV
          </button>
          {tab === "open" && (
            <CancelAll
              count={rows.open.length}
              pair={onlyPair ? pair : null}
              side={side === "" ? null : side}
            />
          )}
        </div>
      </header>
      {error !== null && <Failure name="orders" error={error} retry={() => void readAccount()} />}
      <div
        className="scroll"
        id="account-rows"
        role="tabpanel"
        // biome-ignore lint/a11y/noNoninteractiveTabindex: a scrolling area needs the keyboard
        tabIndex={0}
        aria-labelledby={`tab-${tab}`}
      >
        {rows[tab].length === 0 ? (
          <p className="empty">{loaded || error ? EMPTY[tab] : "Reading your orders…"}</p>
        ) : tab === "fills" ? (
          <FillsTable fills={rows.fills.slice(0, SHOWN)} />
        ) : (
          <OrdersTable orders={rows[tab].slice(0, SHOWN)} open={tab === "open"} />
        )}
      </div>
    </section>
  );
}

const EMPTY: Record<Tab, string> = {
  open: "No open orders. Click a price in the book, or press B or S, to place one.",
  history: "Orders that were filled, cancelled or refused will show here.",
  fills: "What your orders trade will show here.",
};
