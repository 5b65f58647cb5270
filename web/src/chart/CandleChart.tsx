import { useEffect, useRef, useState } from "react";
import { useMarket } from "../api/queries";
import { counted } from "../domain/decimal";
import { isOpen } from "../domain/orders";
import { useLiveFeed } from "../feed/context";
import { useAccount } from "../state/account";
import { useFeed } from "../state/feed";
import { useSettings } from "../state/settings";
import { Failure } from "../ui/Failure";
import { type Drawn, type Legend, Plot } from "./plot";

const INDICATORS_EVERY_MS = 5_000;

/** Candles, volume and indicators of the chosen pair. */
export function CandleChart() {
  const { pair, interval, theme, indicators } = useSettings();
  const market = useMarket(pair);
  const generation = useFeed((state) => state.generation);
  const { onCandle } = useLiveFeed();
  const orders = useAccount((state) => state.orders);
  const allRead = useAccount((state) => state.next.open === null);
  const fills = useAccount((state) => state.fills);
  const box = useRef<HTMLDivElement>(null);
  const [plot, setPlot] = useState<Plot | null>(null);
  const [legend, setLegend] = useState<Legend | null>(null);
  const [state, setState] = useState<"reading" | "empty" | "ready">("reading");
  const [error, setError] = useState<unknown>(null);
  const [attempt, setAttempt] = useState(0);
  const [indicatorError, setIndicatorError] = useState(false);
  const [drawn, setDrawn] = useState<Drawn[]>([]);
  const [folded, setFolded] = useState(0);
  const tick = market?.tickSize;

  useEffect(() => {
    if (!box.current || !tick) return;
    const made = new Plot(box.current, { tick, onLegend: setLegend, onFolded: setFolded });
    setPlot(made);
    return () => {
      setPlot(null);
      setFolded(0);
      made.remove();
    };
  }, [tick]);

  // biome-ignore lint/correctness/useExhaustiveDependencies: read anew after a reconnect or retry
  useEffect(() => {
    if (!plot) return;
    let left = false;
    setState("reading");
    setError(null);
    plot.load(pair, interval).then(
      (count) => !left && setState(count > 0 ? "ready" : "empty"),
      (failure) => !left && setError(failure),
    );
    const leave = onCandle((candle) => {
      if (candle.tradingPair !== pair || candle.interval !== interval) return;
      plot.update(candle);
      setState((now) => (now === "empty" ? "ready" : now));
    });
    return () => {
      left = true;
      leave();
    };
  }, [plot, pair, interval, generation, attempt, onCandle]);

  // biome-ignore lint/correctness/useExhaustiveDependencies: the theme's colours come by CSS
  useEffect(() => plot?.paint(), [plot, theme]);

  useEffect(() => {
    if (!plot || state !== "ready") return;
    let left = false;
    const read = () =>
      plot.indicators(indicators).then(
        (lines) => {
          if (left) return;
          setDrawn(lines);
          setIndicatorError(false);
        },
        () => !left && setIndicatorError(true),
      );
    void read();
    const timer = indicators.length > 0 ? setInterval(read, INDICATORS_EVERY_MS) : undefined;
    return () => {
      left = true;
      clearInterval(timer);
    };
  }, [plot, indicators, state]);

  useEffect(() => {
    const own = [...orders.values()].filter((one) => one.tradingPair === pair && isOpen(one));
    plot?.orders(own);
  }, [plot, orders, pair]);

  useEffect(() => {
    if (state === "ready")
      plot?.fills([...fills.values()].filter((one) => one.tradingPair === pair));
  }, [plot, fills, pair, state]);

  return (
    <div className="chart-area">
      <div className="chart-legend num" data-testid="chart-legend">
        {legend && (
          <span className={legend.rises ? "text-up" : "text-down"}>
            O {legend.open} H {legend.high} L {legend.low} C {legend.close} {legend.change}{" "}
            <span className="text-dim nowrap">Vol {legend.volume}</span>
          </span>
        )}
        {drawn.map((line) => (
          <span key={line.name} style={{ color: line.color }}>
            {spelled(line.name)}
          </span>
        ))}
        {folded > 0 && (
          <span className="text-dim nowrap" data-testid="folded-orders">
            {counted(folded, allRead)} of your orders not drawn
          </span>
        )}
        {indicatorError && <span className="text-dim">Indicators could not be read.</span>}
      </div>
      <section
        ref={box}
        className="chart-box"
        aria-label={`Candles of ${pair}, ${interval}. Last close ${legend?.close ?? "unknown"}.`}
      />
      {state === "empty" && error === null && (
        <p className="empty over">No trades yet: the first one opens the first candle.</p>
      )}
      {error !== null && (
        <Failure name="chart" error={error} retry={() => setAttempt((count) => count + 1)} />
      )}
    </div>
  );
}

/** Return an indicator's line in words: "bollinger20Upper" is "Bollinger 20 upper". */
function spelled(name: string): string {
  const [, kind = name, length = "", part = ""] = /^([a-z]+)(\d+)(.*)$/.exec(name) ?? [];
  const word = kind === "bollinger" ? "Bollinger" : kind.toUpperCase();
  return [word, length, part.toLowerCase()].filter(Boolean).join(" ");
}
