import { read, snap, text } from "../domain/decimal";
import type { Market } from "../domain/types";
import { useDraft } from "../state/draft";
import { useFeed } from "../state/feed";
import { toast } from "../state/toasts";

/**
 * Shares of what the book offers. The exchange keeps no balances, so the whole is what a taker
 * could trade now: the other side's ten best levels.
 */
export function Percents(props: { market: Market }) {
  const take = (percent: bigint) => {
    const { side } = useDraft.getState();
    const { book } = useFeed.getState();
    const levels = (side === "BUY" ? book?.asks : book?.bids)?.slice(0, 10) ?? [];
    const whole = levels.reduce((sum, level) => sum + level.quantity, 0n);
    if (whole === 0n) return toast("info", "Nothing to take a share of", "That side is empty.");
    const amount = text(snap((whole * percent) / 100n, read(props.market.lotSize), "down"));
    useDraft.setState({ amount, total: "" });
  };
  return (
    // biome-ignore lint/a11y/useSemanticElements: a fieldset cannot be laid out as one row
    <div className="percents" role="group" aria-label="Share of the ten best levels">
      {[25n, 50n, 75n, 100n].map((percent) => (
        <button
          key={String(percent)}
          type="button"
          className="percent num"
          data-testid={`percent-${percent}`}
          title={`${percent} % of the other side's ten best levels`}
          onClick={() => take(percent)}
        >
          {String(percent)} %
        </button>
      ))}
    </div>
  );
}
