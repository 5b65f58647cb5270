import type { DepthUpdate } from "../domain/depthBook";
import type { CandleUpdate, Order, Trade } from "../domain/types";
import { useFeed } from "../state/feed";
import { BookFeed, type ReadBook } from "./book";
import { type ReadTrades, TradesFeed } from "./trades";

const PING_MS = 3_000;
const ACK_MS = 4_000;
const RECONNECT_MS = 500;

/** What the feed needs of a Socket.IO client's socket. */
export interface FeedSocket {
  readonly connected: boolean;
  /** Whether it is connected or tries to be. */
  readonly active: boolean;
  connect(): unknown;
  emit(event: string, data: object): unknown;
  timeout(milliseconds: number): { emitWithAck(event: string, data: object): Promise<unknown> };
  // biome-ignore lint/suspicious/noExplicitAny: an event's payload is what the hub sends
  on(event: string, listener: (payload: any) => void): unknown;
}

/** Where the feed reads what it has not heard. */
export interface Source {
  readBook: ReadBook;
  readTrades: ReadTrades;
}

/** What the page hears of the exchange; what it shows of it is in `useFeed`. */
export interface Feed {
  /** Follow a pair and its candles; what was followed before is left. */
  follow(pair: string, interval: string): void;
  /** Begin anew by hand, after a failure. */
  retry(): void;
  /** Read the last trades again. */
  readTrades(): Promise<void>;
  /** Call a listener for each of these; returns how to end that. */
  onCandle(listener: (candle: CandleUpdate) => void): () => void;
  onOrder(listener: (order: Order) => void): () => void;
  onTrade(listener: (trade: Trade) => void): () => void;
}

/** Make the feed of a socket, which connects when something is followed. */
export function createFeed(socket: FeedSocket, source: Source): Feed {
  const book = new BookFeed(source.readBook);
  const trades = new TradesFeed(source.readTrades);
  const [candleHeard, onCandle] = listeners<CandleUpdate>();
  const [orderHeard, onOrder] = listeners<Order>();
  const [tradeHeard, onTrade] = listeners<Trade>();
  let room: { pair: string; interval: string } | null = null;
  let pinging: ReturnType<typeof setInterval> | undefined;

  const follow = (pair: string, interval: string) => {
    const before = room;
    room = { pair, interval };
    if (before?.pair !== pair) {
      if (before) socket.emit("unsubscribe", { room: before.pair });
      book.begin(pair);
      trades.begin(pair);
      useFeed.setState({ book: null, trades: null, bookError: null, tradesError: null });
    }
    if (!socket.active) socket.connect();
    if (!socket.connected) return;
    if (before?.pair === pair) socket.emit("subscribe", { room: pair, feed: "depth", interval });
    else void begin();
  };

  /** Subscribe, then read the book and the trades anew. */
  const begin = async () => {
    if (!room) return;
    const { pair, interval } = room;
    book.begin(pair);
    trades.begin(pair);
    try {
      const answer: unknown = await socket
        .timeout(ACK_MS)
        .emitWithAck("subscribe", { room: pair, feed: "depth", interval });
      if (isRefusal(answer)) throw new Error(answer.message);
    } catch (error) {
      if (room.pair === pair && socket.connected) useFeed.setState({ bookError: error });
      return;
    }
    if (room.pair !== pair) return;
    useFeed.setState((state) => ({ generation: state.generation + 1 }));
    await Promise.all([book.read(), trades.read()]);
  };

  /** Measure the way there and back; `unsubscribe` of a room nobody is in costs the hub nothing. */
  const ping = async () => {
    const begun = performance.now();
    try {
      await socket.timeout(ACK_MS).emitWithAck("unsubscribe", { room: "-" });
      useFeed.setState({ roundTripMs: Math.round(performance.now() - begun) });
    } catch {
      useFeed.setState({ roundTripMs: null });
    }
  };

  const lost = () => {
    clearInterval(pinging);
    const { connection, lostAt } = useFeed.getState();
    if (connection === "lost") return;
    useFeed.setState({ connection: "lost", lostAt: lostAt ?? Date.now(), roundTripMs: null });
  };

  socket.on("connect", () => {
    useFeed.setState({ connection: "live", lostAt: null });
    void begin();
    void ping();
    clearInterval(pinging);
    pinging = setInterval(() => void ping(), PING_MS);
  });
  socket.on("disconnect", (reason: string) => {
    lost();
    // The library comes back by itself except where the server closed the session.
    if (reason === "io server disconnect") setTimeout(() => socket.connect(), RECONNECT_MS);
  });
  socket.on("connect_error", lost);
  socket.on("orderbook_update", (update: DepthUpdate & { tradingPair: string }) => {
    if (update.tradingPair === room?.pair && "firstUpdateId" in update) book.take(update);
  });
  socket.on("new_trade", (trade: Trade) => {
    if (trade.tradingPair === room?.pair) trades.take(trade);
    tradeHeard(trade);
  });
  socket.on("order_update", orderHeard);
  socket.on("candle_update", candleHeard);

  const retry = () => {
    useFeed.setState({ bookError: null, tradesError: null });
    if (socket.connected) void begin();
    else socket.connect();
  };
  return { follow, retry, readTrades: () => trades.read(), onCandle, onOrder, onTrade };
}

function isRefusal(answer: unknown): answer is { message: string } {
  return typeof answer === "object" && answer !== null && "statusCode" in answer;
}

/** Return how to tell listeners something, and how to become one. */
function listeners<T>(): [(value: T) => void, (listener: (value: T) => void) => () => void] {
  const all = new Set<(value: T) => void>();
  const tell = (value: T) => {
    for (const listener of all) listener(value);
  };
  const join = (listener: (value: T) => void) => {
    all.add(listener);
    return () => void all.delete(listener);
  };
  return [tell, join];
}
