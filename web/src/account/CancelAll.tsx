import { useState } from "react";
import { cancelOrders } from "../api/orders";
import { counted } from "../domain/decimal";
import { sentence } from "../domain/refusal";
import type { Side } from "../domain/types";
import { useSettings } from "../state/settings";
import { toast } from "../state/toasts";

/** Cancel all open orders, or those of a pair or a side, after a second click. */
export function CancelAll(props: {
  count: number;
  /** Whether `count` is all there are. */
  whole: boolean;
  pair: string | null;
  side: Side | null;
}) {
  const [sure, setSure] = useState(false);
  const userId = useSettings((state) => state.userId);
  const cancel = async () => {
    if (!sure) return setSure(true);
    setSure(false);
    try {
      await cancelOrders(userId, props.pair, props.side);
    } catch (error) {
      toast("refused", "Not all were cancelled", sentence(error));
    }
  };
  return (
    <button
      type="button"
      className="button danger"
      data-testid="cancel-all"
      disabled={props.count === 0 && props.whole}
      onBlur={() => setSure(false)}
      onClick={() => void cancel()}
    >
      {sure ? `Cancel all ${counted(props.count, props.whole)}?` : "Cancel all"}
    </button>
  );
}
