import { useState } from "react";
import { cancelOrder } from "../api/orders";
import { brief, drawable, group } from "../domain/decimal";
import { reason } from "../domain/reasons";
import { sentence } from "../domain/refusal";
import type { Order } from "../domain/types";
import { takeOrder } from "../state/account";
import { useSettings } from "../state/settings";
import { toast } from "../state/toasts";
import { dateTime } from "../ui/time";
import { AmendRow } from "./AmendRow";

/** Orders, newest first; open ones can be cancelled and amended where they stand. */
export function OrdersTable(props: { orders: Order[]; open: boolean }) {
  const [amending, setAmending] = useState<string | null>(null);
  return (
    <table className="data-table num">
      <thead>
        <tr>
          <th scope="col">Time</th>
          <th scope="col">Pair</th>
          <th scope="col">Side</th>
          <th scope="col">Type</th>
          <th scope="col" className="right">
            Price
          </th>
          <th scope="col" className="right">
            Amount
          </th>
          <th scope="col" className="right">
            Filled
          </th>
          <th scope="col" className="right">
            Average
          </th>
          <th scope="col">Status</th>
          {props.open && (
            <th scope="col">
              <span className="sr-only">Actions</span>
            </th>
          )}
        </tr>
      </thead>
      <tbody>
        {props.orders.map((order) =>
          amending === order.id ? (
            <AmendRow key={order.id} order={order} onDone={() => setAmending(null)} />
          ) : (
            <OrderRow
              key={order.id}
              order={order}
              open={props.open}
              onAmend={() => setAmending(order.id)}
            />
          ),
        )}
      </tbody>
    </table>
  );
}

function OrderRow(props: { order: Order; open: boolean; onAmend: () => void }) {
  const { order } = props;
  const buys = order.type === "BUY";
  const share = Math.round((100 * drawable(order.filledQuantity)) / drawable(order.quantity));
  const name = `${buys ? "buy" : "sell"} ${order.quantity} at ${order.price ?? "market"}`;
  const status = order.status.toLowerCase().replace("_", " ");
  return (
    <tr
      data-testid="order-row"
      data-order-id={order.id}
      data-status={order.status}
      data-price={order.price ?? ""}
      data-quantity={order.quantity}
    >
      <td className="text-dim">{dateTime(order.createdAt)}</td>
      <td>{order.tradingPair.replace("-", "/")}</td>
      <td className={buys ? "text-up" : "text-down"}>{buys ? "▲ Buy" : "▼ Sell"}</td>
      <td>
        {order.orderType === "LIMIT" ? "Limit" : "Market"}{" "}
        <span
          className="text-dim"
          title={order.expiresAt ? `Until ${dateTime(order.expiresAt)}` : undefined}
        >
          {order.timeInForce}
          {order.postOnly && " · post-only"}
        </span>
      </td>
      <td className="right">{order.price ? group(order.price) : "Market"}</td>
      <td className="right">{group(order.quantity)}</td>
      <td className="right">
        {group(order.filledQuantity)} <span className="text-dim">{share || 0} %</span>
      </td>
      <td className="right" title={order.averagePrice ?? undefined}>
        {order.averagePrice ? brief(order.averagePrice) : "–"}
      </td>
      <td className="status" title={reason(order)}>
        {status}
      </td>
      {props.open && (
        <td className="actions">
          <button
            type="button"
            className="button small"
            aria-label={`Amend ${name}`}
            data-testid={`amend-${order.id}`}
            onClick={props.onAmend}
          >
            Amend
          </button>
          <button
            type="button"
            className="button small danger"
            aria-label={`Cancel ${name}`}
            data-testid={`cancel-${order.id}`}
            onClick={() => void cancel(order)}
          >
            Cancel
          </button>
        </td>
      )}
    </tr>
  );
}

async function cancel(order: Order): Promise<void> {
  const { userId } = useSettings.getState();
  try {
    const changed = await cancelOrder(order.id, userId);
    if (changed.order) takeOrder(changed.order);
  } catch (error) {
    toast("refused", "Not cancelled", sentence(error));
  }
}
