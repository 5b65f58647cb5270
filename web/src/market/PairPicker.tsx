import { useEffect, useRef, useState } from "react";
import { useMarkets, useTickers } from "../api/queries";
import { change, format, placesOf, read } from "../domain/decimal";
import type { Market } from "../domain/types";
import { useScreen } from "../state/screen";
import { useSettings } from "../state/settings";
import { Failure } from "../ui/Failure";

/** Choose a pair: a button that opens a list with search and 24 hour figures. */
export function PairPicker() {
  const pair = useSettings((state) => state.pair);
  const open = useScreen((state) => state.picker);
  const show = (picker: boolean) => useScreen.setState({ picker });
  return (
    <div className="picker">
      <button
        type="button"
        className="pair-button"
        data-testid="pair-picker"
        aria-haspopup="listbox"
        aria-expanded={open}
        title="Choose a market (/)"
        onClick={() => show(!open)}
      >
        {pair.replace("-", "/")} <span aria-hidden="true">▾</span>
      </button>
      {open && <PairList onClose={() => show(false)} />}
    </div>
  );
}

function PairList(props: { onClose: () => void }) {
  const markets = useMarkets();
  const [search, setSearch] = useState("");
  const [at, setAt] = useState(0);
  const [entered, setEntered] = useState(false);
  const box = useRef<HTMLDivElement>(null);
  const field = useRef<HTMLInputElement>(null);
  const wanted = search.trim().toUpperCase().replace("/", "-");
  const found = (markets.data ?? []).filter((market) => market.tradingPair.includes(wanted));
  const tickers = useTickers((markets.data ?? []).map((market) => market.tradingPair));
  useEffect(() => {
    field.current?.focus();
    const outside = (event: PointerEvent) => {
      const target = event.target as Element;
      if (!box.current?.contains(target) && !target.closest(".pair-button")) props.onClose();
    };
    document.addEventListener("pointerdown", outside);
    return () => document.removeEventListener("pointerdown", outside);
  }, [props.onClose]);
  const choose = (market: Market) => {
    useSettings.getState().set({ pair: market.tradingPair });
    props.onClose();
  };
  const chosen = entered ? found[at] : undefined;
  // Enter may come before the markets do; it is kept until they are here.
  useEffect(() => {
    if (chosen) choose(chosen);
  });
  const onKey = (event: React.KeyboardEvent) => {
    const step = event.key === "ArrowDown" ? 1 : event.key === "ArrowUp" ? -1 : 0;
    if (step) setAt((index) => Math.max(0, Math.min(found.length - 1, index + step)));
    else if (event.key === "Enter") setEntered(true);
    else if (event.key === "Escape") props.onClose();
    else return;
    event.preventDefault();
    event.stopPropagation();
  };
  return (
    <div className="popover pair-list" ref={box}>
      <input
        ref={field}
        className="input"
        role="combobox"
        aria-expanded="true"
        aria-controls="pair-options"
        aria-activedescendant={found[at] ? `pair-${found[at].tradingPair}` : undefined}
        aria-label="Search markets"
        placeholder="Search markets"
        data-testid="pair-search"
        value={search}
        onChange={(event) => {
          setSearch(event.target.value);
          setAt(0);
          setEntered(false);
        }}
        onKeyDown={onKey}
      />
      {markets.isError && (
        <Failure name="markets" error={markets.error} retry={() => void markets.refetch()} />
      )}
      <div id="pair-options" role="listbox" aria-label="Markets" className="pair-options">
        {found.map((market, index) => {
          const ticker = tickers.get(market.tradingPair);
          const moved = change(read(ticker?.priceChangePercent));
          return (
            // biome-ignore lint/a11y/useKeyWithClickEvents: the search field has the keys
            <div
              key={market.tradingPair}
              id={`pair-${market.tradingPair}`}
              role="option"
              tabIndex={-1}
              aria-selected={index === at}
              className="pair-option"
              data-testid={`pair-option-${market.tradingPair}`}
              onClick={() => choose(market)}
            >
              <span className="font-semibold">{market.tradingPair.replace("-", "/")}</span>
              {market.status === "HALTED" && <span className="badge">Halted</span>}
              <span className="num ml-auto">
                {format(ticker?.lastPrice, placesOf(market.tickSize))}
              </span>
              <span className={`num pair-change ${moved.tone}`}>{ticker ? moved.shown : "–"}</span>
            </div>
          );
        })}
      </div>
      {markets.isPending && <p className="empty">The markets are on their way.</p>}
      {markets.isSuccess && found.length === 0 && (
        <p className="empty">No market is called “{search}”.</p>
      )}
    </div>
  );
}
