import {
  CandlestickSeries,
  createChart,
  createSeriesMarkers,
  HistogramSeries,
  type IChartApi,
  type ISeriesApi,
  LineSeries,
  type UTCTimestamp,
} from "lightweight-charts";
import { readCandles } from "../api/market";
import { fillWindows, type PriceRange, priceRange, take } from "../domain/candles";
import { compact, drawable, format, group, placesOf } from "../domain/decimal";
import type { Candle, Fill, IndicatorName, Order } from "../domain/types";
import { colors } from "./colors";
import { OwnLines } from "./ownLines";
import { bar, indicatorPoints, volume } from "./series";

/** A line that an indicator has drawn. */
export interface Drawn {
  name: string;
  color: string;
}

export interface Legend {
  open: string;
  high: string;
  low: string;
  close: string;
  volume: string;
  change: string;
  rises: boolean;
}

interface Options {
  tick: string;
  onLegend: (legend: Legend | null) => void;
  /** Told how many of the account's open orders have no line. */
  onFolded: (orders: number) => void;
}

const SCROLL_BACK_BARS = 30;
/** The shares of a pane's height that stay free above and below the candles. */
const MARGINS = { top: 0.2, bottom: 0.1 };
const FLAT_TICKS = 5;

/** What is drawn of a pair: one chart with its panes, kept up to date. */
export class Plot {
  private readonly chart: IChartApi;
  private readonly price: ISeriesApi<"Candlestick">;
  private readonly volumes: ISeriesApi<"Histogram">;
  private readonly markers;
  private readonly own: OwnLines;
  private readonly lines = new Map<string, ISeriesApi<"Line">>();
  private candles: Candle[] = [];
  private pair = "";
  private interval = "";
  private run = 0;
  private reading = false;
  private older = true;
  private hovered: number | null = null;

  constructor(
    box: HTMLElement,
    private readonly options: Options,
  ) {
    this.chart = createChart(box, {
      autoSize: true,
      layout: { attributionLogo: true, fontSize: 11 },
      timeScale: { timeVisible: true, secondsVisible: true, rightOffset: 6 },
      rightPriceScale: { scaleMargins: MARGINS },
      crosshair: { mode: 0 },
    });
    const places = placesOf(options.tick);
    const priceFormat = {
      type: "custom" as const,
      minMove: drawable(options.tick),
      formatter: (price: number) => group(price.toFixed(places)),
    };
    this.price = this.chart.addSeries(CandlestickSeries, { priceFormat });
    this.own = new OwnLines(this.price, options.onFolded);
    this.volumes = this.chart.addSeries(
      HistogramSeries,
      {
        priceFormat: { type: "custom", minMove: 1e-8, formatter: compact },
        priceLineVisible: false,
        lastValueVisible: false,
      },
      1,
    );
    this.chart.panes()[0]?.setStretchFactor(4);
    this.chart.panes()[1]?.setStretchFactor(1);
    this.markers = createSeriesMarkers(this.price, []);
    this.paint();
    this.chart.subscribeCrosshairMove(({ time }) => {
      this.hovered = (time as number | undefined) ?? null;
      this.tell();
    });
    this.chart.timeScale().subscribeVisibleLogicalRangeChange((range) => {
      this.own.draw(this.range());
      if (range && range.from < SCROLL_BACK_BARS) void this.scrollBack();
    });
  }

  remove(): void {
    this.run += 1;
    this.chart.remove();
  }

  /** Read a pair's candles; returns how many there are, throws what the server refused. */
  async load(pair: string, interval: string): Promise<number> {
    this.run += 1;
    const { run } = this;
    const changed = pair !== this.pair || interval !== this.interval;
    this.pair = pair;
    this.interval = interval;
    if (changed) this.show([]);
    const candles = await readCandles(pair, interval);
    if (run !== this.run) return candles.length;
    this.older = candles.length > 0;
    this.show(candles);
    if (changed) this.chart.timeScale().resetTimeScale();
    return candles.length;
  }

  /** Take a window's candle: the open one's, or the last word about one that has closed. */
  update(candle: Candle): void {
    const taken = take(this.candles, candle);
    if (taken === null) return;
    this.price.update(bar(candle), taken === "older");
    this.volumes.update(volume(candle, this.volumeColors()), taken === "older");
    this.own.draw(this.range());
    this.tell();
  }

  /** Take the theme's colours. */
  paint(): void {
    const theme = colors();
    this.chart.applyOptions({
      layout: {
        background: { color: theme.panel },
        textColor: theme.text,
        panes: { separatorColor: theme.line },
      },
      grid: { vertLines: { color: theme.line }, horzLines: { color: theme.line } },
      rightPriceScale: { borderColor: theme.line },
      timeScale: { borderColor: theme.line },
    });
    this.price.applyOptions({
      upColor: theme.up,
      downColor: theme.down,
      wickUpColor: theme.up,
      wickDownColor: theme.down,
      borderVisible: false,
    });
    this.volumes.setData(this.candles.map((candle) => volume(candle, this.volumeColors())));
    this.own.draw(this.range(), true);
  }

  /** Draw the account's open orders near the market as lines. */
  orders(orders: readonly Order[]): void {
    this.own.take(orders, this.range());
  }

  /** Mark the account's fills: an arrow a candle and side in which there were any. */
  fills(fills: Iterable<Fill>): void {
    const theme = colors();
    this.markers.setMarkers(
      fillWindows(this.candles, fills).map(({ time, type }) => ({
        time: time as UTCTimestamp,
        ...(type === "BUY"
          ? { position: "belowBar", shape: "arrowUp", color: theme.up }
          : { position: "aboveBar", shape: "arrowDown", color: theme.down }),
      })),
    );
  }

  /** Read and draw the indicators that are switched on; throws what the server refused. */
  async indicators(names: readonly IndicatorName[]): Promise<Drawn[]> {
    const { run, pair, interval } = this;
    const wanted =
      names.length > 0 ? await indicatorPoints(pair, interval, names, this.candles.length) : null;
    if (run !== this.run) return [];
    for (const [name, line] of this.lines) {
      if (wanted?.has(name)) continue;
      this.chart.removeSeries(line);
      this.lines.delete(name);
    }
    const palette = colors().series;
    for (const [name, points] of wanted ?? []) {
      let line = this.lines.get(name);
      if (!line) {
        const color = palette[this.lines.size % palette.length] ?? "#888888";
        const pane = name.startsWith("rsi") ? 2 : 0;
        // Named in the legend: on the axis they would cover the account's own orders.
        const quiet = { priceLineVisible: false, lastValueVisible: false };
        const options = { color, lineWidth: 1 as const, ...quiet };
        line = this.chart.addSeries(LineSeries, options, pane);
        this.lines.set(name, line);
      }
      line.setData(points);
    }
    return [...this.lines].map(([name, line]) => ({ name, color: line.options().color }));
  }

  private show(candles: Candle[]): void {
    this.candles = candles;
    this.price.setData(candles.map(bar));
    this.volumes.setData(candles.map((candle) => volume(candle, this.volumeColors())));
    this.own.draw(this.range());
    this.tell();
  }

  /** Return the prices that the visible candles and the margins about them cover. */
  private range(): PriceRange | null {
    const visible = this.chart.timeScale().getVisibleLogicalRange();
    const from = Math.max(0, Math.floor(visible?.from ?? 0));
    const shown = this.candles.slice(from, visible ? Math.ceil(visible.to) + 1 : undefined);
    const covered = priceRange(shown);
    if (!covered) return null;
    // A flat range is widened so by the library itself.
    const extra = covered.high === covered.low ? FLAT_TICKS * drawable(this.options.tick) : 0;
    const height = covered.high - covered.low + 2 * extra;
    const room = height / (1 - MARGINS.top - MARGINS.bottom);
    return {
      low: covered.low - extra - room * MARGINS.bottom,
      high: covered.high + extra + room * MARGINS.top,
    };
  }

  private async scrollBack(): Promise<void> {
    const first = this.candles[0];
    if (!first || this.reading || !this.older) return;
    this.reading = true;
    const { run } = this;
    try {
      const older = await readCandles(this.pair, this.interval, first.time);
      if (run !== this.run) return;
      this.older = older.length > 0;
      if (this.older) this.show([...older, ...this.candles]);
    } catch {
      // The next scroll asks again.
    } finally {
      this.reading = false;
    }
  }

  private tell(): void {
    const { hovered } = this;
    const candle =
      (hovered !== null && this.candles.find((one) => one.time === hovered)) || this.candles.at(-1);
    if (!candle) {
      this.options.onLegend(null);
      return;
    }
    const places = placesOf(this.options.tick);
    const [open, close] = [drawable(candle.open), drawable(candle.close)];
    this.options.onLegend({
      open: format(candle.open, places),
      high: format(candle.high, places),
      low: format(candle.low, places),
      close: format(candle.close, places),
      volume: compact(candle.volume),
      change: `${close >= open ? "+" : ""}${((100 * (close - open)) / open || 0).toFixed(2)}%`,
      rises: close >= open,
    });
  }

  private volumeColors() {
    const { up, down } = colors();
    return { up: `${up}80`, down: `${down}80` };
  }
}
