import { useEffect, useMemo, useState } from "react";
import { counted } from "../domain/decimal";
import { isOpen } from "../domain/orders";
import type { Side } from "../domain/types";
import { readAccount } from "../feed/account";
import { type ListName, useAccount } from "../state/account";
import { useSettings } from "../state/settings";
import { download } from "../ui/download";
import { Failure } from "../ui/Failure";
import { CancelAll } from "./CancelAll";
import { FillsTable } from "./FillsTable";
import { More } from "./More";
import { OrdersTable } from "./OrdersTable";

const TABS: Record<ListName, string> = {
  open: "Open orders",
  history: "Order history",
  fills: "Fills",
};
const SHOWN_EACH = 200;

/** The account's orders and fills, with filters that hold for all three tabs. */
export function AccountPanel() {
  const pair = useSettings((state) => state.pair);
  const orders = useAccount((state) => state.orders);
  const allFills = useAccount((state) => state.fills);
  const error = useAccount((state) => state.error);
  const loaded = useAccount((state) => state.loaded);
  const next = useAccount((state) => state.next);
  const [tab, setTab] = useState<ListName>("open");
  const [onlyPair, setOnlyPair] = useState(false);
  const [side, setSide] = useState<Side | "">("");
  const [shown, setShown] = useState(SHOWN_EACH);
  // biome-ignore lint/correctness/useExhaustiveDependencies: another list begins at its top
  useEffect(() => setShown(SHOWN_EACH), [tab, onlyPair, side, pair]);
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
  const whole = next[tab] === null;
  const none = whole ? EMPTY[tab] : "None among those that have been read so far.";
  const empty = loaded || error ? none : "Reading your orders…";
  const order: ListName[] = ["open", "history", "fills"];
  const onArrow = (event: React.KeyboardEvent) => {
    const step = event.key === "ArrowRight" ? 1 : event.key === "ArrowLeft" ? -1 : 0;
    if (!step) return;
    const beside = order[(order.indexOf(tab) + step + 3) % 3] ?? "open";
    setTab(beside);
    document.getElementById(`tab-${beside}`)?.focus();
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
              {TABS[name]} ({counted(rows[name].length, next[name] === null)})
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
              whole={whole}
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
          <p className="empty">{empty}</p>
        ) : tab === "fills" ? (
          <FillsTable fills={rows.fills.slice(0, shown)} />
        ) : (
          <OrdersTable orders={rows[tab].slice(0, shown)} open={tab === "open"} />
        )}
        <More
          key={tab}
          list={tab}
          shown={shown}
          known={rows[tab].length}
          whole={whole}
          onMore={() => setShown((count) => count + SHOWN_EACH)}
        />
      </div>
    </section>
  );
}

const EMPTY: Record<ListName, string> = {
  open: "No open orders. Click a price in the book, or press B or S, to place one.",
  history: "Orders that were filled, cancelled or refused will show here.",
  fills: "What your orders trade will show here.",
};
