import { readFills, readOrders } from "../api/orders";
import type { Order, Trade } from "../domain/types";
import {
  forgetAccount,
  type ListName,
  openOrders,
  takeOlderFills,
  takeOlderOrders,
  takeOrder,
  takeReading,
  takeTrades,
  useAccount,
} from "../state/account";
import { useFeed } from "../state/feed";
import { useSettings } from "../state/settings";
import type { Feed } from "./feed";

/** The order's own update may come right after its trade. */
const TRADES_HELD_MS = 150;

/** Read what is open and the newest of what the account ordered and traded. */
export async function readAccount(): Promise<void> {
  const { userId } = useSettings.getState();
  const before = openOrders();
  const isLeft = () => useSettings.getState().userId !== userId;
  try {
    const open = await readOpen(userId, before.length);
    // Not before: an order that ends meanwhile must be in one of the two.
    const [ended, fills] = await Promise.all([readOrders(userId, "ended"), readFills(userId)]);
    if (isLeft()) return;
    const next = { open: open.next, history: ended.next, fills: fills.next };
    takeReading(before, { open: open.rows, ended: ended.rows, fills: fills.rows, next });
  } catch (error) {
    if (!isLeft()) useAccount.setState({ error });
  }
}

/** Read the newest open orders: a page, or as many pages as hold those that are known. */
async function readOpen(userId: number, known: number) {
  let page = await readOrders(userId, "open");
  const rows: Order[] = page.rows;
  while (page.next !== null && rows.length < known) {
    page = await readOrders(userId, "open", page.next);
    rows.push(...page.rows);
  }
  return { rows, next: page.next };
}

/** Read on in a list until something older has come; throws what the server refused. */
export async function readOlder(list: ListName): Promise<void> {
  const { userId } = useSettings.getState();
  for (let found = 0; found === 0; ) {
    const cursor = useAccount.getState().next[list];
    if (cursor === null) return;
    if (list === "fills") {
      const page = await readFills(userId, cursor);
      if (useSettings.getState().userId !== userId) return;
      found = takeOlderFills(page.rows, page.next);
    } else {
      const page = await readOrders(userId, list === "open" ? "open" : "ended", cursor);
      if (useSettings.getState().userId !== userId) return;
      found = takeOlderOrders(list, page.rows, page.next);
    }
  }
}

/** Keep the chosen account up to date from here on. */
export function followAccount(feed: Feed): void {
  feed.onOrder((order) => takeOrder(order));
  let waiting: Trade[] = [];
  feed.onTrade((trade) => {
    if (waiting.push(trade) === 1)
      setTimeout(() => {
        takeTrades(waiting);
        waiting = [];
      }, TRADES_HELD_MS);
  });
  useSettings.subscribe((now, before) => {
    if (now.userId === before.userId) return;
    forgetAccount();
    void readAccount();
  });
  useFeed.subscribe((now, before) => {
    if (now.generation !== before.generation) void readAccount();
  });
  void readAccount();
}
