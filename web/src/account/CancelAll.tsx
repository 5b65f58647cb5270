import { useState } from "react";
import { answered, client, type Side, sentence } from "../api/client";
import { useSettings } from "../settings";
import { toast } from "../ui/toasts";

/** Cancel all open orders, or those of a pair or a side, after a second click. */
export function CancelAll(props: { count: number; pair: string | null; side: Side | null }) {
  const [sure, setSure] = useState(false);
  const userId = useSettings((state) => state.userId);
  const cancel = async () => {
    if (!sure) return setSure(true);
    setSure(false);
    const query = {
      userId,
      ...(props.pair ? { tradingPair: props.pair } : {}),
      ...(props.side ? { type: props.side } : {}),
    };
    try {
      await answered(client.DELETE("/orders", { params: { query } }));
    } catch (error) {
      toast("refused", "Not all were cancelled", sentence(error));
    }
  };
  return (
    <button
      type="button"
      className="button danger"
      data-testid="cancel-all"
      disabled={props.count === 0}
      onBlur={() => setSure(false)}
      onClick={() => void cancel()}
    >
      {sure ? `Cancel all ${props.count}?` : "Cancel all"}
    </button>
  );
}
