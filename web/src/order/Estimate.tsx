import { format, parse, placesOf } from "../domain/decimal";
import { estimate } from "../domain/rules";
import type { Market } from "../domain/types";
import { useDraft } from "../state/draft";
import { useFeed } from "../state/feed";

/** What a market order would cost by the book as it stands. */
export function Estimate(props: { market: Market }) {
  const side = useDraft((state) => state.side);
  const amount = useDraft((state) => state.amount);
  const levels = useFeed((state) => (side === "BUY" ? state.book?.asks : state.book?.bids));
  const walked = estimate(levels ?? [], parse(amount) ?? 0n);
  const places = placesOf(props.market.tickSize);
  return (
    <dl className="estimate num" data-testid="market-estimate">
      <div>
        <dt>Expected average</dt>
        <dd>{walked ? format(walked.average, places) : "–"}</dd>
      </div>
      <div>
        <dt>Slippage</dt>
        <dd>{walked ? `${format(walked.slippage, 3)} %` : "–"}</dd>
      </div>
      {walked && !walked.whole && (
        <p className="note">
          The book holds only {format(walked.filled, placesOf(props.market.lotSize))}{" "}
          {props.market.baseCurrency}; the rest would be cancelled.
        </p>
      )}
      {levels?.length === 0 && <p className="note">There is nothing to trade against.</p>}
    </dl>
  );
}
