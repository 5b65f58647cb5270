import { useState } from "react";
import { INDICATORS, INTERVALS, type IndicatorName } from "../domain/types";
import { useSettings } from "../state/settings";
import { CandleChart } from "./CandleChart";
import { DepthChart } from "./DepthChart";

const NAMES: Record<IndicatorName, string> = {
  sma20: "Moving average 20",
  ema20: "Exponential average 20",
  vwap20: "VWAP 20",
  bollinger20: "Bollinger bands 20",
  rsi14: "RSI 14",
};

/** The chart with its tools: candles or depth, interval, indicators. */
export function ChartPanel() {
  const { pair, interval, indicators, set } = useSettings();
  const [tab, setTab] = useState<"candles" | "depth">("candles");
  const toggle = (name: IndicatorName) =>
    set({
      indicators: indicators.includes(name)
        ? indicators.filter((one) => one !== name)
        : [...indicators, name],
    });
  return (
    <section className="panel chart" aria-label="Chart" data-testid="chart">
      <header className="panel-head wrap">
        {(["candles", "depth"] as const).map((name) => (
          <button
            key={name}
            type="button"
            className="kind"
            aria-pressed={tab === name}
            data-testid={`chart-tab-${name}`}
            onClick={() => setTab(name)}
          >
            {name === "candles" ? "Candles" : "Depth"}
          </button>
        ))}
        {tab === "candles" && (
          <>
            <span className="rule" aria-hidden="true" />
            {INTERVALS.map((name) => (
              <button
                key={name}
                type="button"
                className="kind small"
                aria-pressed={interval === name}
                data-testid={`interval-${name}`}
                onClick={() => set({ interval: name })}
              >
                {name}
              </button>
            ))}
            <details className="menu">
              <summary className="kind" data-testid="indicator-menu">
                Indicators{indicators.length > 0 && ` (${indicators.length})`}
              </summary>
              <div className="popover menu-list">
                {INDICATORS.map((name) => (
                  <label key={name} className="check">
                    <input
                      type="checkbox"
                      data-testid={`indicator-${name}`}
                      checked={indicators.includes(name)}
                      onChange={() => toggle(name)}
                    />
                    {NAMES[name]}
                  </label>
                ))}
              </div>
            </details>
          </>
        )}
      </header>
      {tab === "candles" ? <CandleChart key={pair} /> : <DepthChart />}
    </section>
  );
}
