import { takeOrder, takeTrades } from "../account/store";
import { answered, client } from "../api/client";
import { useSettings } from "../settings";
import { toast } from "../ui/toasts";
import type { Draft } from "./draft";
import { request } from "./rules";

const WAIT_MS = 2_000;

/** Send an order and take its outcome; throws the server's refusal. */
export async function send(draft: Draft, pair: string): Promise<void> {
  const { userId } = useSettings.getState();
  const body = request(draft, pair, userId, key());
  const placed = await answered(
    client.POST("/orders", { body, params: { query: { wait: WAIT_MS } } }),
  );
  if (placed.order) takeOrder(placed.order);
  else toast("accepted", "Order accepted", placed.message);
  takeTrades(placed.fills ?? []);
}

/** Return an id of the order's own, so that sending it twice places it once. */
function key(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}
