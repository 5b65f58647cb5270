import { useEffect, useMemo, useRef, useState } from "react";
import { useMarket } from "../api/queries";
import { format, group, placesOf, read, snap, text } from "../domain/decimal";
import { grouped, steps } from "../domain/grouping";
import { isOpen } from "../domain/orders";
import { useLiveFeed } from "../feed/context";
import { useAccount } from "../state/account";
import { useDraft } from "../state/draft";
import { useFeed } from "../state/feed";
import { useSettings } from "../state/settings";
import { Failure } from "../ui/Failure";
import { BookRows } from "./BookRows";

const ROW_PX = 20;
const SPREAD_PX = 30;
type View = "both" | "bids" | "asks";
const VIEWS: { view: View; sign: string; name: string }[] = [
  { view: "both", sign: "⇅", name: "Both sides" },
  { view: "bids", sign: "↓", name: "Bids only" },
  { view: "asks", sign: "↑", name: "Asks only" },
];

/** The order book: only the rows that fit are drawn, at most once a frame. */
export function BookPanel() {
  const pair = useSettings((state) => state.pair);
  const market = useMarket(pair);
  const { retry } = useLiveFeed();
  const book = useFeed((state) => state.book);
  const error = useFeed((state) => state.bookError);
  const stale = useFeed((state) => state.connection !== "live");
  const [view, setView] = useState<View>("both");
  const [chosen, setStep] = useState("");
  const [area, height] = useHeight();
  const own = useOwnPrices(pair);
  const tick = market?.tickSize ?? "0.01";
  const choices = steps(tick);
  const step = choices.includes(chosen) ? chosen : (choices[0] ?? tick);
  const places = placesOf(tick);
  const room = Math.max(0, Math.floor((height - SPREAD_PX) / ROW_PX));
  const most = view === "both" ? Math.floor(room / 2) : room;
  const asks = book && view !== "bids" ? grouped(book.asks, read(step), "ask", most) : [];
  const bids = book && view !== "asks" ? grouped(book.bids, read(step), "bid", most) : [];
  const deepest = [asks.at(-1), bids.at(-1)].reduce(
    (most, row) => (row && row.cumulative > most ? row.cumulative : most),
    1n,
  );
  const isOwn = (side: "BUY" | "SELL") => (price: bigint) =>
    [...own[side]].some((one) => snap(one, read(step), side === "BUY" ? "down" : "up") === price);
  const common = { deepest, places, lotPlaces: Math.min(6, placesOf(market?.lotSize ?? "0.0001")) };
  const empty = book !== null && book.bids.length === 0 && book.asks.length === 0;
  return (
    <section
      className="panel book"
      aria-label="Order book"
      data-testid="book"
      data-stale={stale}
      data-update-id={book?.updateId ?? ""}
      data-best-bid={book?.bids[0] ? text(book.bids[0].price) : ""}
      data-best-ask={book?.asks[0] ? text(book.asks[0].price) : ""}
    >
      <header className="panel-head">
        <h2>Order book</h2>
        <span className="ml-auto flex">
          {VIEWS.map((one) => (
            <button
              key={one.view}
              type="button"
              className="icon-button"
              aria-label={one.name}
              title={one.name}
              aria-pressed={view === one.view}
              data-testid={`book-view-${one.view}`}
              onClick={() => setView(one.view)}
            >
              {one.sign}
            </button>
          ))}
        </span>
        <select
          className="select"
          aria-label="Group prices by"
          data-testid="book-grouping"
          value={step}
          onChange={(event) => setStep(event.target.value)}
        >
          {choices.map((one) => (
            <option key={one}>{one}</option>
          ))}
        </select>
      </header>
      <div className="book-columns dim-small" aria-hidden="true">
        <span>Price {market?.quoteCurrency}</span>
        <span>Amount {market?.baseCurrency}</span>
        <span>Sum</span>
      </div>
      <div className="book-area" ref={area} data-testid="book-canvas">
        {error !== null && <Failure name="book" error={error} retry={retry} />}
        {!book && error === null && <p className="empty">Reading the book…</p>}
        {empty && (
          <p className="empty" data-testid="book-empty">
            No orders yet. The first limit order opens this book.
          </p>
        )}
        {book && !empty && (
          <>
            {view !== "bids" && (
              <BookRows side="ask" rows={asks} isOwn={isOwn("SELL")} {...common} />
            )}
            <SpreadRow places={places} />
            {view !== "asks" && (
              <BookRows side="bid" rows={bids} isOwn={isOwn("BUY")} {...common} />
            )}
          </>
        )}
      </div>
    </section>
  );
}

function SpreadRow(props: { places: number }) {
  const bid = useFeed((state) => state.book?.bids[0]?.price);
  const ask = useFeed((state) => state.book?.asks[0]?.price);
  const last = useFeed((state) => state.trades?.[0]);
  const bought = last?.aggressorType === "BUY";
  const spread = bid !== undefined && ask !== undefined ? ask - bid : null;
  return (
    <div className="book-spread" data-testid="book-spread">
      <button
        type="button"
        className={`num book-last ${last ? (bought ? "text-up" : "text-down") : ""}`}
        disabled={!last}
        onClick={() => last && useDraft.setState({ kind: "LIMIT", price: last.price })}
      >
        {last ? (
          <>
            <span aria-hidden="true">{bought ? "▲" : "▼"} </span>
            <span className="sr-only">Use the last price </span>
            {format(last.price, props.places)}
          </>
        ) : (
          "No trade yet"
        )}
      </button>
      <span className="dim-small num">Spread {spread === null ? "–" : group(text(spread))}</span>
    </div>
  );
}

/** Return the prices of the account's open orders in a market. */
function useOwnPrices(pair: string) {
  const orders = useAccount((state) => state.orders);
  return useMemo(() => {
    const own = { BUY: new Set<bigint>(), SELL: new Set<bigint>() };
    for (const order of orders.values())
      if (order.tradingPair === pair && order.price && isOpen(order))
        own[order.type].add(read(order.price));
    return own;
  }, [orders, pair]);
}

function useHeight() {
  const element = useRef<HTMLDivElement>(null);
  const [height, setHeight] = useState(400);
  useEffect(() => {
    const observer = new ResizeObserver(([entry]) => entry && setHeight(entry.contentRect.height));
    if (element.current) observer.observe(element.current);
    return () => observer.disconnect();
  }, []);
  return [element, height] as const;
}
