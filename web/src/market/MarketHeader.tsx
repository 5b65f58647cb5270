import { useEffect, useRef } from "react";
import { useMarket, useTicker } from "../api/queries";
import { change, divide, drawable, format, placesOf, read } from "../domain/decimal";
import type { Ticker } from "../domain/types";
import { useFeed } from "../state/feed";
import { useSettings } from "../state/settings";
import { ConnectionDot } from "./ConnectionDot";
import { PairPicker } from "./PairPicker";

const TITLE_EVERY_MS = 1_000;
const ARROWS = { "text-up": "▲ ", "text-down": "▼ ", "": "" };

/** The pair, its last price and its last 24 hours. */
export function MarketHeader() {
  const pair = useSettings((state) => state.pair);
  const market = useMarket(pair);
  const ticker = useTicker(pair);
  const live = useFeed((state) => state.trades?.[0]);
  const places = placesOf(market?.tickSize ?? "0.01");
  const last = live?.tradingPair === pair ? live.price : ticker.data?.lastPrice;
  const quote = market?.quoteCurrency ?? "";
  const day = ticker.data && widened(ticker.data, last ?? null);
  return (
    <div className="market-header" data-testid="market-header">
      <PairPicker />
      <LastPrice last={last ?? null} places={places} />
      <dl className="figures">
        <Figure
          id="change-24h"
          label="24h change"
          tone={day?.change.tone ?? ""}
          value={day ? `${ARROWS[day.change.tone]}${day.change.shown}` : "–"}
        />
        <Figure id="high-24h" label="24h high" value={format(day?.high, places)} />
        <Figure id="low-24h" label="24h low" value={format(day?.low, places)} />
        <Figure
          id="volume-24h"
          label={`24h volume ${quote}`}
          value={format(ticker.data?.quoteVolume, 0)}
        />
      </dl>
      {ticker.isError && (
        <button
          type="button"
          className="button"
          data-testid="retry-header"
          onClick={() => void ticker.refetch()}
        >
          24h figures failed: try again
        </button>
      )}
      {market?.status === "HALTED" && (
        <span className="badge" data-testid="halted">
          Halted: only cancels are taken
        </span>
      )}
      <ConnectionDot />
    </div>
  );
}

/** Return the day's figures as the newest trade leaves them, which is newer than the ticker. */
function widened(ticker: Ticker, last: string | null) {
  if (last === null || ticker.openPrice === null)
    return { high: null, low: null, change: change(0n) };
  const now = read(last);
  const open = read(ticker.openPrice);
  const high = read(ticker.highPrice);
  const low = read(ticker.lowPrice);
  return {
    high: high > now ? high : now,
    low: low < now ? low : now,
    change: change(divide((now - open) * 100n, open)),
  };
}

function LastPrice(props: { last: string | null; places: number }) {
  const before = useRef<string | null>(null);
  const rises = useRef(true);
  if (props.last !== null && before.current !== null && props.last !== before.current)
    rises.current = drawable(props.last) >= drawable(before.current);
  before.current = props.last;
  const shown = format(props.last, props.places);
  const title = useRef("Forkast");
  title.current = props.last === null ? "Forkast" : `${shown} · Forkast`;
  useEffect(() => {
    const timer = setInterval(() => {
      if (document.title !== title.current) document.title = title.current;
    }, TITLE_EVERY_MS);
    return () => clearInterval(timer);
  }, []);
  return (
    <div
      className={`last-price num ${rises.current ? "text-up" : "text-down"}`}
      data-testid="last-price"
    >
      {props.last !== null && <span aria-hidden="true">{rises.current ? "▲" : "▼"}</span>}
      <span className="sr-only">Last price </span>
      {shown}
    </div>
  );
}

function Figure(props: { id: string; label: string; value: string; tone?: string }) {
  return (
    <div>
      <dt>{props.label}</dt>
      <dd className={`num ${props.tone ?? ""}`} data-testid={props.id}>
        {props.value}
      </dd>
    </div>
  );
}
