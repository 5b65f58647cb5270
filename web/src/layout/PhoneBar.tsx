import { type PhoneTab, useScreen } from "../state/screen";
import { toForm } from "./keys";

const TABS: Record<PhoneTab, string> = {
  chart: "Chart",
  book: "Book",
  trades: "Trades",
  orders: "Orders",
};

/** On a phone one panel shows at a time. */
export function PhoneTabs() {
  const tab = useScreen((state) => state.phoneTab);
  return (
    <nav className="phone-tabs" aria-label="Panels">
      {(Object.keys(TABS) as PhoneTab[]).map((name) => (
        <button
          key={name}
          type="button"
          className="tab"
          aria-pressed={tab === name}
          data-testid={`phone-tab-${name}`}
          onClick={() => useScreen.setState({ phoneTab: name, sheet: false })}
        >
          {TABS[name]}
        </button>
      ))}
    </nav>
  );
}

/** Buy and sell, always under the thumb. */
export function PhoneBar() {
  return (
    <div className="phone-bar">
      <button
        type="button"
        className="submit buy"
        data-testid="phone-buy"
        onClick={() => toForm("BUY")}
      >
        Buy
      </button>
      <button
        type="button"
        className="submit sell"
        data-testid="phone-sell"
        onClick={() => toForm("SELL")}
      >
        Sell
      </button>
    </div>
  );
}
