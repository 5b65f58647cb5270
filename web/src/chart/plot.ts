import {
  CandlestickSeries,
  createChart,
  createSeriesMarkers,
  HistogramSeries,
  type IChartApi,
  type IPriceLine,
  type ISeriesApi,
  LineSeries,
  LineStyle,
  type SeriesMarker,
  type Time,
  type UTCTimestamp,
} from "lightweight-charts";
import type { Candle, Fill, Order } from "../api/client";
import { drawable, format, group, placesOf } from "../decimal";
import type { IndicatorName } from "../settings";
import { bar, readCandles, readIndicators, volume } from "./candles";
import { colors } from "./colors";

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
}

const SCROLL_BACK_BARS = 30;

/** What is drawn of a pair: one chart with its panes, kept up to date. */
export class Plot {
  private readonly chart: IChartApi;
  private readonly price: ISeriesApi<"Candlestick">;
  private readonly volumes: ISeriesApi<"Histogram">;
  private readonly markers;
  private readonly lines = new Map<string, ISeriesApi<"Line">>();
  private orderLines: IPriceLine[] = [];
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
      crosshair: { mode: 0 },
    });
    const format = {
      type: "price" as const,
      precision: placesOf(options.tick),
      minMove: drawable(options.tick),
    };
    this.price = this.chart.addSeries(CandlestickSeries, { priceFormat: format });
    this.volumes = this.chart.addSeries(
      HistogramSeries,
      { priceFormat: { type: "volume" }, priceLineVisible: false, lastValueVisible: false },
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

  /** Take the open window's candle. */
  update(candle: Candle): void {
    const last = this.candles.at(-1);
    if (last && candle.time < last.time) return;
    if (last?.time === candle.time) this.candles[this.candles.length - 1] = candle;
    else this.candles.push(candle);
    this.price.update(bar(candle));
    this.volumes.update(volume(candle, this.volumeColors()));
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
  }

  /** Draw the account's open orders as lines. */
  orders(orders: Order[]): void {
    for (const line of this.orderLines) this.price.removePriceLine(line);
    const theme = colors();
    this.orderLines = orders
      .filter((order) => order.price !== null)
      .map((order) =>
        this.price.createPriceLine({
          price: drawable(order.price ?? "0"),
          color: order.type === "BUY" ? theme.up : theme.down,
          lineStyle: LineStyle.Dashed,
          lineWidth: 1,
          title: `${order.type === "BUY" ? "Buy" : "Sell"} ${order.quantity}`,
        }),
      );
  }

  /** Mark the account's fills: an arrow a candle and side in which there were any. */
  fills(fills: Fill[]): void {
    const theme = colors();
    const first = this.candles[0]?.time ?? Number.POSITIVE_INFINITY;
    const marks = new Map<string, SeriesMarker<Time>>();
    for (const fill of fills) {
      const second = Date.parse(fill.createdAt) / 1_000;
      const candle = this.candles.findLast((one) => one.time <= second);
      if (!candle || second < first) continue;
      const bought = fill.type === "BUY";
      marks.set(`${candle.time} ${fill.type}`, {
        time: candle.time as UTCTimestamp,
        position: bought ? "belowBar" : "aboveBar",
        shape: bought ? "arrowUp" : "arrowDown",
        color: bought ? theme.up : theme.down,
      });
    }
    this.markers.setMarkers(
      [...marks.values()].sort((left, right) => Number(left.time) - Number(right.time)),
    );
  }

  /** Read and draw the indicators that are switched on; throws what the server refused. */
  async indicators(names: readonly IndicatorName[]): Promise<Drawn[]> {
    const { run, pair, interval } = this;
    const wanted =
      names.length > 0 ? await readIndicators(pair, interval, names, this.candles.length) : null;
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
    this.tell();
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
      volume: group(candle.volume),
      change: `${close >= open ? "+" : ""}${((100 * (close - open)) / open || 0).toFixed(2)}%`,
      rises: close >= open,
    });
  }

  private volumeColors() {
    const { up, down } = colors();
    return { up: `${up}80`, down: `${down}80` };
  }
}
