import { memo } from "react";
import { useMarket } from "../api/queries";
import { format, placesOf } from "../domain/decimal";
import type { Trade } from "../domain/types";
import { useLiveFeed } from "../feed/context";
import { useFeed } from "../state/feed";
import { useSettings } from "../state/settings";
import { Failure } from "../ui/Failure";
import { clock } from "../ui/time";

const SHOWN = 50;

/** The last trades: who took is told by colour, arrow and sign. */
export function TradesPanel() {
  const pair = useSettings((state) => state.pair);
  const market = useMarket(pair);
  const { readTrades } = useLiveFeed();
  const trades = useFeed((state) => state.trades);
  const error = useFeed((state) => state.tradesError);
  const places = placesOf(market?.tickSize ?? "0.01");
  const lotPlaces = Math.min(6, placesOf(market?.lotSize ?? "0.0001"));
  return (
    <section className="panel trades" aria-label="Trades" data-testid="trades">
      <header className="panel-head">
        <h2>Trades</h2>
      </header>
      {error !== null && <Failure name="trades" error={error} retry={() => void readTrades()} />}
      {trades?.length === 0 && (
        <p className="empty" data-testid="trades-empty">
          No trades yet. The first one will show here.
        </p>
      )}
      {!trades && error === null && <p className="empty">Reading the trades…</p>}
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: a scrolling area needs the keyboard */}
      <section className="scroll" tabIndex={0} aria-label="List of trades">
        <table className="trade-table num">
          <thead>
            <tr>
              <th scope="col">Price {market?.quoteCurrency}</th>
              <th scope="col">Amount {market?.baseCurrency}</th>
              <th scope="col">Time</th>
            </tr>
          </thead>
          <tbody>
            {trades?.slice(0, SHOWN).map((trade) => (
              <TradeRow key={trade.id} trade={trade} places={places} lotPlaces={lotPlaces} />
            ))}
          </tbody>
        </table>
      </section>
    </section>
  );
}

const TradeRow = memo(function TradeRow(props: {
  trade: Trade;
  places: number;
  lotPlaces: number;
}) {
  const { trade, places, lotPlaces } = props;
  const bought = trade.aggressorType === "BUY";
  return (
    <tr data-testid="trade-row" data-side={trade.aggressorType} data-id={trade.id}>
      <td className={bought ? "text-up" : "text-down"}>
        <span aria-hidden="true">{bought ? "▲" : "▼"} </span>
        <span className="sr-only">{bought ? "Bought" : "Sold"} </span>
        {format(trade.price, places)}
      </td>
      <td>{format(trade.quantity, lotPlaces)}</td>
      <td className="text-dim">{clock(trade.createdAt)}</td>
    </tr>
  );
});
