import { io } from "socket.io-client";
import { answered, type Candle, client, type Order, type Trade } from "../api/client";
import { DepthBook, type DepthUpdate } from "./depthBook";
import { onceEvery, oncePerFrame } from "./frame";
import { useFeed } from "./store";
import { isGap, merged } from "./tape";

const SNAPSHOT_LEVELS = 1_000;
const TRADES_READ = 200;
const PING_MS = 3_000;
const ACK_MS = 4_000;

type CandleUpdate = Candle & { interval: string; tradingPair: string };
type Listener<T> = (value: T) => void;
const candleListeners = new Set<Listener<CandleUpdate>>();
const orderListeners = new Set<Listener<Order>>();
const tradeListeners = new Set<Listener<Trade>>();

export const onCandle = (listener: Listener<CandleUpdate>) => listen(candleListeners, listener);
export const onOrder = (listener: Listener<Order>) => listen(orderListeners, listener);
export const onTrade = (listener: Listener<Trade>) => listen(tradeListeners, listener);

const book = new DepthBook();
const socket = io({
  autoConnect: false,
  transports: ["websocket", "polling"],
  reconnectionDelayMax: 2_000,
});
let room: { pair: string; interval: string } | null = null;
let pending: Trade[] = [];
/** Age of the newest trade when it came, in milliseconds. */
let lag: number | null = null;
let asking = 0;
let reading: AbortController | null = null;

const paintBook = oncePerFrame(() => {
  if (!room || book.updateId < 0) return;
  const view = { pair: room.pair, updateId: book.updateId, ...book.sides() };
  useFeed.setState({ book: view, bookError: null });
});
// Faster than anybody reads; each time all rows of the list move.
const paintTrades = onceEvery(100, () => {
  const more = pending;
  pending = [];
  useFeed.setState(({ trades }) => ({ trades: merged(trades ?? [], more), lagMs: lag }));
});

/** Follow a pair and its candles; what was followed before is left. */
export function follow(pair: string, interval: string): void {
  const before = room;
  room = { pair, interval };
  if (before && before.pair !== pair) {
    socket.emit("unsubscribe", { room: before.pair });
    useFeed.setState({ book: null, trades: null, bookError: null, tradesError: null });
  }
  if (!socket.active) socket.connect();
  if (!socket.connected) return;
  if (before?.pair === pair) socket.emit("subscribe", { room: pair, feed: "depth", interval });
  else void begin();
}

/** Subscribe, then read the book and the trades anew. */
async function begin(): Promise<void> {
  if (!room) return;
  const { pair, interval } = room;
  book.reset();
  pending = [];
  try {
    const answer: unknown = await socket
      .timeout(ACK_MS)
      .emitWithAck("subscribe", { room: pair, feed: "depth", interval });
    if (isRefusal(answer)) throw new Error(answer.message);
  } catch (error) {
    if (room?.pair === pair && socket.connected) useFeed.setState({ bookError: error });
    return;
  }
  useFeed.setState((state) => ({ generation: state.generation + 1 }));
  await Promise.all([readBook(), readTrades()]);
}

/** Read a fresh book; again, a little later each time, while it is older than the updates. */
export async function readBook(): Promise<void> {
  if (!room) return;
  asking += 1;
  const { pair } = room;
  const mine = asking;
  reading?.abort();
  reading = new AbortController();
  const { signal } = reading;
  for (let attempt = 0; mine === asking && room?.pair === pair; attempt += 1) {
    try {
      const path = { pair };
      const params = { path, query: { depth: SNAPSHOT_LEVELS } };
      const snapshot = await answered(client.GET("/market/{pair}/orderbook", { params, signal }));
      if (mine !== asking || room?.pair !== pair) return;
      if (book.load(snapshot)) return paintBook();
    } catch (error) {
      if (mine === asking && attempt > 1) return useFeed.setState({ bookError: error });
    }
    await new Promise((done) => setTimeout(done, Math.min(100 * 2 ** attempt, 2_000)));
  }
}

/** Read the last trades and join them to those that came live. */
export async function readTrades(): Promise<void> {
  if (!room) return;
  const { pair } = room;
  try {
    const params = { path: { pair }, query: { limit: TRADES_READ } };
    const trades = await answered(client.GET("/market/{pair}/trades", { params }));
    if (room?.pair !== pair) return;
    pending = pending.concat(trades);
    useFeed.setState({ tradesError: null });
    paintTrades();
  } catch (error) {
    if (room?.pair === pair) useFeed.setState({ tradesError: error });
  }
}

/** Begin anew by hand, after a failure. */
export function retryFeed(): void {
  useFeed.setState({ bookError: null, tradesError: null });
  if (socket.connected) void begin();
  else socket.connect();
}

socket.on("connect", () => {
  useFeed.setState({ connection: "live", lostAt: null });
  void begin();
  void ping();
});
const lost = () => {
  const { connection, lostAt } = useFeed.getState();
  if (connection === "lost") return;
  useFeed.setState({ connection: "lost", lostAt: lostAt ?? Date.now(), roundTripMs: null });
};
socket.on("disconnect", (reason) => {
  lost();
  // The library comes back by itself except where the server closed the session.
  if (reason === "io server disconnect") setTimeout(() => socket.connect(), 500);
});
socket.on("connect_error", lost);

socket.on("orderbook_update", (update: DepthUpdate & { tradingPair: string }) => {
  if (update.tradingPair !== room?.pair || !("firstUpdateId" in update)) return;
  const applied = book.apply(update);
  if (applied === "gap") void readBook();
  else if (applied === "applied") paintBook();
});
socket.on("new_trade", (trade: Trade) => {
  if (trade.tradingPair === room?.pair) {
    const newest = pending.length > 0 ? merged([], pending) : (useFeed.getState().trades ?? []);
    if (isGap(newest, trade)) void readTrades();
    pending.push(trade);
    lag = Math.max(0, Date.now() - Date.parse(trade.createdAt));
    paintTrades();
  }
  for (const listener of tradeListeners) listener(trade);
});
socket.on("order_update", (order: Order) => {
  for (const listener of orderListeners) listener(order);
});
socket.on("candle_update", (candle: CandleUpdate) => {
  for (const listener of candleListeners) listener(candle);
});

/** Measure the way there and back; `unsubscribe` of a room nobody is in costs the hub nothing. */
async function ping(): Promise<void> {
  const begun = performance.now();
  try {
    await socket.timeout(ACK_MS).emitWithAck("unsubscribe", { room: "-" });
    useFeed.setState({ roundTripMs: Math.round(performance.now() - begun) });
  } catch {
    useFeed.setState({ roundTripMs: null });
  }
}
setInterval(() => socket.connected && void ping(), PING_MS);

function isRefusal(answer: unknown): answer is { message: string } {
  return typeof answer === "object" && answer !== null && "statusCode" in answer;
}

function listen<T>(listeners: Set<Listener<T>>, listener: Listener<T>): () => void {
  listeners.add(listener);
  return () => void listeners.delete(listener);
}
