import type { Snapshot } from "../domain/depthBook";
import type { Candle, IndicatorName, Market, Ticker, Trade } from "../domain/types";
import { answered, client } from "./client";

const SNAPSHOT_LEVELS = 1_000;
const TRADES_READ = 200;
const CANDLES_READ = 500;
const INDICATOR_POINTS_MOST = 5_000;

export function readMarkets(): Promise<Market[]> {
  return answered(client.GET("/markets"));
}

export function readTicker(pair: string): Promise<Ticker> {
  return answered(client.GET("/market/{pair}/ticker", { params: { path: { pair } } }));
}

/** Read a book, as deep as the exchange tells it. */
export function readBook(pair: string, signal: AbortSignal): Promise<Snapshot> {
  const params = { path: { pair }, query: { depth: SNAPSHOT_LEVELS } };
  return answered(client.GET("/market/{pair}/orderbook", { params, signal }));
}

/** Read the last trades. */
export function readTrades(pair: string): Promise<Trade[]> {
  const params = { path: { pair }, query: { limit: TRADES_READ } };
  return answered(client.GET("/market/{pair}/trades", { params }));
}

/** Read a page of candles, oldest first; older ones with `before` (seconds since 1970). */
export function readCandles(pair: string, interval: string, before?: number): Promise<Candle[]> {
  const query = { interval, limit: CANDLES_READ, ...(before === undefined ? {} : { before }) };
  return answered(client.GET("/charts/{pair}/candles", { params: { path: { pair }, query } }));
}

/** Read indicators as the analytics side computes them, for the newest `count` candles. */
export function readIndicators(
  pair: string,
  interval: string,
  names: readonly IndicatorName[],
  count: number,
) {
  const limit = Math.min(count, INDICATOR_POINTS_MOST);
  const query = { interval, limit, names: names.join(",") };
  return answered(client.GET("/charts/{pair}/indicators", { params: { path: { pair }, query } }));
}
