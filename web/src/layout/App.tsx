import { type CSSProperties, lazy, Suspense, useEffect, useLayoutEffect } from "react";
import { AccountPanel } from "../account/AccountPanel";
import { BookPanel } from "../book/BookPanel";
import { useLiveFeed } from "../feed/context";
import { OrderForm } from "../order/OrderForm";
import { useFeed } from "../state/feed";
import { useScreen } from "../state/screen";
import { useSettings } from "../state/settings";
import { TradesPanel } from "../trades/TradesPanel";
import { Guard } from "../ui/Failure";
import { Divider } from "./Divider";
import { FrozenBanner } from "./FrozenBanner";
import { Help } from "./Help";
import { useKeys } from "./keys";
import { PhoneBar, PhoneTabs } from "./PhoneBar";
import { Toasts } from "./Toasts";
import { TopBar } from "./TopBar";

// The chart's library is most of the code; the rest is there before it.
const ChartPanel = lazy(() =>
  import("../chart/ChartPanel").then((module) => ({ default: module.ChartPanel })),
);

/** The whole trading screen. */
export function App() {
  const { pair, interval, theme, layout } = useSettings();
  const { follow } = useLiveFeed();
  const connection = useFeed((state) => state.connection);
  const { phoneTab, sheet } = useScreen();
  useKeys();
  useEffect(() => follow(pair, interval), [follow, pair, interval]);
  useLayoutEffect(() => {
    document.documentElement.dataset.theme = theme;
  }, [theme]);
  const sizes = {
    "--book": `${layout.book}px`,
    "--order": `${layout.order}px`,
    "--below": `${layout.below}px`,
  } as CSSProperties;
  return (
    <div
      className="app"
      style={sizes}
      data-testid="app"
      data-connection={connection}
      data-theme={theme}
      data-pair={pair}
      data-tab={phoneTab}
      data-sheet={sheet}
    >
      <TopBar />
      <FrozenBanner />
      <PhoneTabs />
      <main className="desk">
        <div className="desk-left">
          <div className="desk-chart">
            <Guard name="chart">
              <Suspense fallback={<section className="panel chart" aria-label="Chart" />}>
                <ChartPanel />
              </Suspense>
            </Guard>
          </div>
          <Divider part="below" upright={false} label="Height of your orders" />
          <div className="desk-below">
            <Guard name="orders">
              <AccountPanel />
            </Guard>
          </div>
        </div>
        <Divider part="book" upright={true} label="Width of the order book" />
        <div className="desk-book">
          <Guard name="book">
            <BookPanel />
          </Guard>
        </div>
        <Divider part="order" upright={true} label="Width of the order form" />
        <div className="desk-order">
          <div className="desk-form">
            <Guard name="form">
              <OrderForm />
            </Guard>
          </div>
          <Guard name="trades">
            <TradesPanel />
          </Guard>
        </div>
      </main>
      <PhoneBar />
      <Toasts />
      <Help />
    </div>
  );
}
