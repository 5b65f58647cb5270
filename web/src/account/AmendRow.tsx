import { useState } from "react";
import { amendOrder } from "../api/orders";
import { sentence } from "../domain/refusal";
import type { Order } from "../domain/types";
import { takeOrder, takeTrades } from "../state/account";
import { useSettings } from "../state/settings";

/** Change an order's price and amount where it stands in the table. */
export function AmendRow(props: { order: Order; onDone: () => void }) {
  const { order, onDone } = props;
  const [price, setPrice] = useState(order.price ?? "");
  const [quantity, setQuantity] = useState(order.quantity);
  const [refusal, setRefusal] = useState("");
  const save = async () => {
    const body = {
      userId: useSettings.getState().userId,
      ...(price === order.price ? {} : { price: price.trim() }),
      ...(quantity === order.quantity ? {} : { quantity: quantity.trim() }),
    };
    if (!("price" in body) && !("quantity" in body)) return onDone();
    try {
      const changed = await amendOrder(order.id, body);
      if (changed.order) takeOrder(changed.order);
      takeTrades(changed.fills ?? []);
      onDone();
    } catch (error) {
      setRefusal(sentence(error));
    }
  };
  const onKey = (event: React.KeyboardEvent) => {
    if (event.key === "Enter") void save();
    else if (event.key === "Escape") onDone();
    else return;
    event.preventDefault();
    event.stopPropagation();
  };
  return (
    <tr data-testid="order-row" data-order-id={order.id} data-status={order.status}>
      <td colSpan={10}>
        <div className="amend">
          <span className={order.type === "BUY" ? "text-up" : "text-down"}>
            {order.type === "BUY" ? "▲ Buy" : "▼ Sell"} {order.tradingPair.replace("-", "/")}
          </span>
          <label>
            Price{" "}
            <input
              className="input"
              // biome-ignore lint/a11y/noAutofocus: the trader has just asked to type here
              autoFocus
              inputMode="decimal"
              data-testid="amend-price"
              value={price}
              onChange={(event) => setPrice(event.target.value)}
              onKeyDown={onKey}
            />
          </label>
          <label>
            Amount{" "}
            <input
              className="input"
              inputMode="decimal"
              data-testid="amend-quantity"
              value={quantity}
              onChange={(event) => setQuantity(event.target.value)}
              onKeyDown={onKey}
            />
          </label>
          <button
            type="button"
            className="button primary"
            data-testid="amend-save"
            onClick={() => void save()}
          >
            Save
          </button>
          <button type="button" className="button" onClick={onDone}>
            Keep as it is
          </button>
          <span role="alert" className="refusal-inline">
            {refusal}
          </span>
        </div>
      </td>
    </tr>
  );
}
