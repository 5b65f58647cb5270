import { useState } from "react";
import { counted } from "../domain/decimal";
import { sentence } from "../domain/refusal";
import { readOlder } from "../feed/account";
import type { ListName } from "../state/account";
import { toast } from "../state/toasts";

interface Props {
  list: ListName;
  shown: number;
  /** How many of the list are here. */
  known: number;
  /** Whether these are all there are. */
  whole: boolean;
  onMore: () => void;
}

/** The way to the rest of a list: rows that are here already, then older ones from the exchange. */
export function More(props: Props) {
  const { list, known, whole, onMore } = props;
  const [reading, setReading] = useState(false);
  const shown = Math.min(props.shown, known);
  if (shown === known && whole) return null;
  const more = async () => {
    setReading(true);
    try {
      if (shown === known) await readOlder(list);
      onMore();
    } catch (error) {
      toast("refused", "Older ones could not be read", sentence(error));
    } finally {
      setReading(false);
    }
  };
  return (
    <div className="more">
      <span className="text-dim num" data-testid="more-count">
        {counted(shown, true)} of {counted(known, whole)} shown
      </span>
      <button
        type="button"
        className="button small"
        data-testid="more"
        disabled={reading}
        onClick={() => void more()}
      >
        {reading ? "Reading…" : "Show more"}
      </button>
    </div>
  );
}
