import type { components } from "./contract";

export type Schemas = components["schemas"];
export type Trade = Schemas["Trade"];
export type Fill = Schemas["Fill"];
export type Candle = Schemas["Candle"];
export type Market = Schemas["Market"];
export type Ticker = Schemas["Ticker"];
export type PlaceOrder = Schemas["PlaceOrder"];
export type PlacedOrder = Schemas["PlacedOrder"];
export type AmendOrder = Schemas["AmendOrder"];
export type Side = Schemas["Order"]["type"];

/** An order; what it was asked with may be left out by an older exchange. */
export type Order = Schemas["Order"] & {
  expiresAt?: string | null;
  postOnly?: boolean;
};

/** The candle of a window that is open, as the feed tells it. */
export type CandleUpdate = Candle & { interval: string; tradingPair: string };

export type Tif = "GTC" | "IOC" | "FOK";

/** What the order form holds: text as it was typed. */
export interface Draft {
  side: Side;
  kind: "LIMIT" | "MARKET";
  price: string;
  amount: string;
  /** A total typed by hand; empty while it follows price and amount. */
  total: string;
  tif: Tif;
  postOnly: boolean;
}

export const INTERVALS = ["1s", "10s", "1m", "5m", "15m", "1h", "4h", "1d", "1w"] as const;
export type IntervalName = (typeof INTERVALS)[number];
export const INDICATORS = ["sma20", "ema20", "vwap20", "bollinger20", "rsi14"] as const;
export type IndicatorName = (typeof INDICATORS)[number];
