import { brief, group, multiply, read, text } from "../domain/decimal";
import { fillKey } from "../domain/orders";
import type { Fill } from "../domain/types";
import { dateTime } from "../ui/time";

/** What the account's orders have traded, newest first. */
export function FillsTable(props: { fills: Fill[] }) {
  return (
    <table className="data-table num">
      <thead>
        <tr>
          <th scope="col">Time</th>
          <th scope="col">Pair</th>
          <th scope="col">Side</th>
          <th scope="col">Role</th>
          <th scope="col" className="right">
            Price
          </th>
          <th scope="col" className="right">
            Amount
          </th>
          <th scope="col" className="right">
            Total
          </th>
        </tr>
      </thead>
      <tbody>
        {props.fills.map((fill) => {
          const buys = fill.type === "BUY";
          const total = multiply(read(fill.price), read(fill.quantity));
          return (
            <tr key={fillKey(fill)} data-testid="fill-row" data-side={fill.type}>
              <td className="text-dim">{dateTime(fill.createdAt)}</td>
              <td>{fill.tradingPair.replace("-", "/")}</td>
              <td className={buys ? "text-up" : "text-down"}>{buys ? "▲ Buy" : "▼ Sell"}</td>
              <td>{fill.role === "TAKER" ? "taker" : "maker"}</td>
              <td className="right">{group(fill.price)}</td>
              <td className="right">{group(fill.quantity)}</td>
              <td className="right" title={text(total)}>
                {brief(total)}
              </td>
            </tr>
          );
        })}
      </tbody>
    </table>
  );
}
