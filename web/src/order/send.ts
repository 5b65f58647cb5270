import { placeOrder, readOrder } from "../api/orders";
import { Refusal } from "../domain/refusal";
import { request } from "../domain/rules";
import type { Draft, Order, PlacedOrder } from "../domain/types";
import { takeOrder, takeTrades } from "../state/account";
import { useSettings } from "../state/settings";
import { toast } from "../state/toasts";

const LOOK_UPS = 3;
const LOOK_UP_EVERY_MS = 400;

/** The last order whose outcome nobody knows: the same one again must carry the same id. */
let unsettled: { order: string; key: string } | null = null;

/**
 * Send an order and take its outcome; throws the server's refusal. Returns the order's state where
 * it is known.
 */
export async function send(draft: Draft, pair: string): Promise<Order | null> {
  const { userId } = useSettings.getState();
  const order = JSON.stringify(request(draft, pair, userId, ""));
  if (unsettled?.order !== order) unsettled = { order, key: newKey() };
  const body = request(draft, pair, userId, unsettled.key);
  let placed: PlacedOrder;
  try {
    placed = await placeOrder(body);
  } catch (error) {
    if (!(error instanceof Refusal) || !error.unsettled) unsettled = null;
    const found = unsettled && error instanceof Refusal && (await lookedUp(error.orderId));
    if (!found) throw error;
    placed = { message: "Order accepted", orderId: found.id, order: found };
  }
  unsettled = null;
  if (placed.order) takeOrder(placed.order);
  else toast("accepted", "Order accepted", placed.message);
  takeTrades(placed.fills ?? []);
  return placed.order ?? null;
}

/** Return an order that may have been placed, once it is there; null where it is not. */
async function lookedUp(id: string | null): Promise<Order | null> {
  for (let attempt = 0; id !== null && attempt < LOOK_UPS; attempt += 1) {
    await new Promise((done) => setTimeout(done, LOOK_UP_EVERY_MS));
    const order = await readOrder(id).catch(() => null);
    if (order) return order;
  }
  return null;
}

/** Return an id of the order's own, so that sending it twice places it once. */
function newKey(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}
