import { useState } from "react";
import { answered, client, type Order, sentence } from "../api/client";
import { useSettings } from "../settings";
import { toast } from "../ui/toasts";

/** Cancel all orders that are listed, after a second click. */
export function CancelAll(props: { orders: Order[] }) {
  const [sure, setSure] = useState(false);
  const { userId } = useSettings.getState();
  const cancel = async () => {
    if (!sure) return setSure(true);
    setSure(false);
    try {
      const results = await Promise.allSettled(
        props.orders.map((order) =>
          answered(
            client.DELETE("/orders/{id}", {
              params: { path: { id: order.id }, query: { userId } },
            }),
          ),
        ),
      );
      const failed = results.filter((result) => result.status === "rejected");
      if (failed[0]) throw failed[0].reason;
    } catch (error) {
      toast("refused", "Not all were cancelled", sentence(error));
    }
  };
  return (
    <button
      type="button"
      className="button danger"
      data-testid="cancel-all"
      disabled={props.orders.length === 0}
      onBlur={() => setSure(false)}
      onClick={() => void cancel()}
    >
      {sure ? `Cancel all ${props.orders.length}?` : "Cancel all"}
    </button>
  );
}
