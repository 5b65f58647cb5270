import { useEffect, useState } from "react";
import { useMarket } from "../api/queries";
import { endedUnfilled } from "../domain/orders";
import { reason } from "../domain/reasons";
import { Refusal, sentence } from "../domain/refusal";
import { amountOf, faults, isFar, snapAmount, snapPrice, totalOf } from "../domain/rules";
import type { Draft, Tif } from "../domain/types";
import { useDraft } from "../state/draft";
import { useFeed } from "../state/feed";
import { useSettings } from "../state/settings";
import { Dialog } from "../ui/Dialog";
import { NumberField } from "../ui/NumberField";
import { Estimate } from "./Estimate";
import { Percents } from "./Percents";
import { send } from "./send";

const TIFS: Record<Tif, string> = {
  GTC: "GTC · until cancelled",
  IOC: "IOC · now, drop the rest",
  FOK: "FOK · all now or none",
};

/** Buy or sell: limit or market. */
export function OrderForm() {
  const pair = useSettings((state) => state.pair);
  const market = useMarket(pair);
  const draft = useDraft();
  const lost = useFeed((state) => state.connection === "lost");
  const [notes, setNotes] = useState({ price: "", amount: "" });
  const [tried, setTried] = useState(false);
  const [busy, setBusy] = useState(false);
  const [asking, setAsking] = useState(false);
  const [refusal, setRefusal] = useState<{ code: string; message: string } | null>(null);
  // biome-ignore lint/correctness/useExhaustiveDependencies: another pair starts an empty form
  useEffect(() => {
    useDraft.setState({ price: "", amount: "", total: "" });
    setNotes({ price: "", amount: "" });
    setRefusal(null);
    setTried(false);
  }, [pair]);
  if (!market) return <section className="panel order" aria-label="Order form" />;

  const wrong = faults(draft, market);
  const total = draft.total || totalOf(draft.price, draft.amount);
  const set = (change: Partial<Draft>) => {
    useDraft.setState(change);
    setRefusal(null);
  };
  const settle = () => {
    const price = snapPrice(draft.price, market, draft.side);
    const amount = snapAmount(draft.amount, market);
    setNotes({ price: price.note, amount: amount.note });
    if (price.value !== draft.price || amount.value !== draft.amount || draft.total !== "")
      useDraft.setState({ price: price.value, amount: amount.value, total: "" });
  };
  const place = async () => {
    setAsking(false);
    setBusy(true);
    const sent = useDraft.getState();
    try {
      const order = await send(sent, pair);
      if (order && endedUnfilled(order)) {
        setRefusal({ code: order.reason ?? order.status, message: reason(order) });
        return;
      }
      setTried(false);
      // What the form was given meanwhile, also by other parts, is the next order's.
      if (useDraft.getState() !== sent) return;
      useDraft.setState({ amount: "", total: "" });
      setNotes({ price: "", amount: "" });
    } catch (error) {
      const code = error instanceof Refusal ? error.code : "UNKNOWN";
      setRefusal({ code, message: sentence(error) });
    } finally {
      setBusy(false);
    }
  };
  const submit = () => {
    if (busy) return;
    setRefusal(null);
    settle();
    const now = useDraft.getState();
    const { book } = useFeed.getState();
    if (Object.keys(faults(now, market)).length > 0) setTried(true);
    else if (isFar(now, book?.bids[0]?.price, book?.asks[0]?.price)) setAsking(true);
    else void place();
  };
  const buys = draft.side === "BUY";
  const limit = draft.kind === "LIMIT";
  // A market order never rests.
  const tifs = (Object.keys(TIFS) as Tif[]).filter((tif) => limit || tif !== "GTC");
  const tif = tifs.includes(draft.tif) ? draft.tif : "IOC";
  const word = buys ? "Buy" : "Sell";
  return (
    <section className="panel order" aria-label="Order form">
      <form
        className="order-form"
        data-testid="order-form"
        noValidate
        onSubmit={(event) => {
          event.preventDefault();
          submit();
        }}
      >
        {/* biome-ignore lint/a11y/useSemanticElements: a fieldset cannot be laid out as one row */}
        <div className="segments" role="group" aria-label="Side">
          {(["BUY", "SELL"] as const).map((side) => (
            <button
              key={side}
              type="button"
              className={`segment ${side.toLowerCase()}`}
              aria-pressed={draft.side === side}
              data-testid={`side-${side.toLowerCase()}`}
              title={side === "BUY" ? "Buy (B)" : "Sell (S)"}
              onClick={() => set({ side })}
            >
              {side === "BUY" ? "Buy" : "Sell"}
            </button>
          ))}
        </div>
        {/* biome-ignore lint/a11y/useSemanticElements: as above */}
        <div className="kinds" role="group" aria-label="Order type">
          {(["LIMIT", "MARKET"] as const).map((kind) => (
            <button
              key={kind}
              type="button"
              className="kind"
              aria-pressed={draft.kind === kind}
              data-testid={`type-${kind.toLowerCase()}`}
              onClick={() => set({ kind, total: "" })}
            >
              {kind === "LIMIT" ? "Limit" : "Market"}
            </button>
          ))}
        </div>
        {limit && (
          <NumberField
            name="price"
            label="Price"
            unit={market.quoteCurrency}
            value={draft.price}
            step={market.tickSize}
            note={notes.price || (tried ? (wrong.price ?? "") : "")}
            onChange={(price) => set({ price })}
            onSettle={settle}
          />
        )}
        <NumberField
          name="amount"
          label="Amount"
          unit={market.baseCurrency}
          value={draft.amount}
          step={market.lotSize}
          note={notes.amount || (tried ? (wrong.amount ?? "") : "")}
          onChange={(amount) => set({ amount, total: "" })}
          onSettle={settle}
        />
        <Percents market={market} />
        {limit ? (
          <NumberField
            name="total"
            label="Total"
            unit={market.quoteCurrency}
            value={total}
            step={market.tickSize}
            note=""
            onChange={(typed) =>
              set({ total: typed, amount: amountOf(draft.price, typed, market) || draft.amount })
            }
            onSettle={settle}
          />
        ) : (
          <Estimate market={market} />
        )}
        <div className="order-options">
          <label className="field-label" htmlFor="order-tif">
            In force
          </label>
          <select
            id="order-tif"
            className="select grow"
            data-testid="order-tif"
            value={tif}
            onChange={(event) => {
              const tif = event.target.value as Tif;
              set({ tif, postOnly: draft.postOnly && tif === "GTC" });
            }}
          >
            {tifs.map((one) => (
              <option key={one} value={one}>
                {TIFS[one]}
              </option>
            ))}
          </select>
          {limit && (
            <label className="check" title="Refused where it would trade at once">
              <input
                type="checkbox"
                data-testid="order-post-only"
                checked={draft.postOnly}
                disabled={draft.tif !== "GTC"}
                onChange={(event) => set({ postOnly: event.target.checked })}
              />
              Post-only
            </label>
          )}
        </div>
        <button
          type="submit"
          className={`submit ${buys ? "buy" : "sell"}`}
          data-testid="order-submit"
          disabled={busy || lost}
          title="Ctrl+Enter"
        >
          {lost ? "Connection lost" : busy ? "Sending…" : `${word} ${market.baseCurrency}`}
        </button>
        <div role="alert" className="order-alert">
          {refusal && (
            <p className="refusal" data-testid="order-error" data-code={refusal.code}>
              {refusal.message}
            </p>
          )}
        </div>
        <p className="dim-small">
          Tick {market.tickSize} · lot {market.lotSize} · minimum {market.minNotional}{" "}
          {market.quoteCurrency}
        </p>
      </form>
      {asking && (
        <Dialog
          title="Far from the market"
          testId="confirm-dialog"
          onClose={() => setAsking(false)}
        >
          <p>
            {word} {draft.amount} {market.baseCurrency} at{" "}
            <b className="num">
              {draft.price} {market.quoteCurrency}
            </b>
            ? This price is more than 5 % away from the market.
          </p>
          <div className="dialog-actions">
            <button
              type="button"
              className="button"
              data-testid="confirm-no"
              onClick={() => setAsking(false)}
            >
              Go back
            </button>
            <button
              type="button"
              className={`submit ${buys ? "buy" : "sell"}`}
              data-testid="confirm-yes"
              onClick={() => void place()}
            >
              {word} at this price
            </button>
          </div>
        </Dialog>
      )}
    </section>
  );
}
