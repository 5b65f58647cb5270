import { EventEmitter } from "node:events";
import { afterEach, beforeEach, expect, it, vi } from "vitest";
import { read } from "../domain/decimal";
import type { Snapshot } from "../domain/depthBook";
import { sampleTrade as trade } from "../domain/samples";
import { useFeed } from "../state/feed";
import { createFeed, type Feed, type FeedSocket } from "./feed";

const PAIR = "BTC-USD";

/** A socket whose other end is the test. */
class TestSocket implements FeedSocket {
  connected = false;
  active = false;
  /** What the hub was asked, in its order. */
  readonly asked: { event: string; data: object }[] = [];
  answer: unknown = {};
  private readonly hub = new EventEmitter();

  connect() {
    this.active = true;
  }
  emit(event: string, data: object) {
    this.asked.push({ event, data });
  }
  timeout() {
    return {
      emitWithAck: async (event: string, data: object) => {
        this.emit(event, data);
        return this.answer;
      },
    };
  }
  on(event: string, listener: (payload: unknown) => void) {
    this.hub.on(event, listener);
  }

  tell(event: string, payload?: unknown) {
    if (event === "connect" || event === "disconnect") this.connected = event === "connect";
    this.hub.emit(event, payload);
  }
  subscribed() {
    return this.asked.filter((one) => one.event === "subscribe").map((one) => one.data);
  }
}

const snapshot = (updateId: number): Snapshot => ({
  updateId,
  bids: [{ price: "99", quantity: "1" }],
  asks: [{ price: "101", quantity: "1" }],
});
const update = (first: number, last: number, quantity = "5", pair = PAIR) => ({
  tradingPair: pair,
  firstUpdateId: first,
  lastUpdateId: last,
  bids: [{ price: "99", quantity }],
  asks: [],
});

let socket: TestSocket;
let feed: Feed;
const readBook = vi.fn(async (_pair: string, _signal: AbortSignal) => snapshot(10));
const readTrades = vi.fn(async (_pair: string) => [trade(1)]);
const bestBid = () => useFeed.getState().book?.bids[0];

/** Let what is due within some time happen. */
const pass = (milliseconds = 300) => vi.advanceTimersByTimeAsync(milliseconds);

beforeEach(() => {
  vi.useFakeTimers();
  // A page that nobody sees paints by timers.
  vi.stubGlobal("document", { hidden: true });
  useFeed.setState(useFeed.getInitialState(), true);
  readBook.mockReset().mockImplementation(async () => snapshot(10));
  readTrades.mockReset().mockImplementation(async () => [trade(1)]);
  socket = new TestSocket();
  feed = createFeed(socket, { readBook, readTrades });
});
afterEach(() => {
  vi.useRealTimers();
  vi.unstubAllGlobals();
});

async function goLive(): Promise<void> {
  feed.follow(PAIR, "1m");
  socket.tell("connect");
  await pass();
}

it("asks nothing of the hub before something is followed", () => {
  expect(socket.active).toBe(false);
  expect(socket.asked).toEqual([]);
});

it("subscribes before it reads the book and the trades", async () => {
  readBook.mockImplementation(async () => {
    expect(socket.subscribed()).toEqual([{ room: PAIR, feed: "depth", interval: "1m" }]);
    return snapshot(10);
  });
  await goLive();
  const { connection, book, trades, generation } = useFeed.getState();
  expect({ connection, generation }).toEqual({ connection: "live", generation: 1 });
  expect(book).toMatchObject({ pair: PAIR, updateId: 10 });
  expect(trades?.map((one) => one.id)).toEqual(["1"]);
});

it("keeps the updates that come while the book is read", async () => {
  let deliver = (_book: Snapshot) => {};
  readBook.mockReturnValueOnce(new Promise((done) => (deliver = done)));
  await goLive();
  socket.tell("orderbook_update", update(10, 12));
  await pass();
  expect(useFeed.getState().book).toBeNull();
  deliver(snapshot(10));
  await pass();
  expect(useFeed.getState().book?.updateId).toBe(12);
  expect(bestBid()?.quantity).toBe(read("5"));
});

it("reads the book anew after a gap, until it is as new as the updates", async () => {
  await goLive();
  readBook.mockResolvedValueOnce(snapshot(11)).mockResolvedValueOnce(snapshot(13));
  socket.tell("orderbook_update", update(14, 15, "7"));
  await pass(1_000);
  expect(readBook).toHaveBeenCalledTimes(3);
  expect(useFeed.getState().book?.updateId).toBe(15);
  expect(bestBid()?.quantity).toBe(read("7"));
});

it("tells that the book cannot be read, and reads it again on request", async () => {
  readBook.mockRejectedValue(new Error("away"));
  await goLive();
  await pass(1_000);
  expect(useFeed.getState().bookError).toEqual(new Error("away"));
  readBook.mockResolvedValue(snapshot(20));
  feed.retry();
  await pass();
  expect(useFeed.getState()).toMatchObject({ bookError: null, book: { updateId: 20 } });
});

it("tells a refused subscription in the hub's words", async () => {
  socket.answer = { statusCode: 503, code: "LOG_UNAVAILABLE", message: "Ask again." };
  await goLive();
  expect(useFeed.getState().bookError).toEqual(new Error("Ask again."));
  expect(readBook).not.toHaveBeenCalled();
});

it("reads the last trades where one is missing, and shows each once", async () => {
  await goLive();
  readTrades.mockResolvedValueOnce([4, 3, 2].map((id) => trade(id)));
  socket.tell("new_trade", trade(4));
  await pass();
  expect(useFeed.getState().trades?.map((one) => one.id)).toEqual(["4", "3", "2", "1"]);
});

it("freezes what it shows while the connection is lost, and begins anew after it", async () => {
  await goLive();
  vi.setSystemTime(1_000);
  socket.tell("disconnect", "transport close");
  vi.setSystemTime(9_000);
  socket.tell("connect_error");
  await pass();
  expect(useFeed.getState()).toMatchObject({ connection: "lost", lostAt: 1_000 });
  expect(useFeed.getState().book?.updateId).toBe(10);
  readBook.mockResolvedValueOnce(snapshot(50));
  readTrades.mockResolvedValueOnce([trade(9)]);
  socket.tell("connect");
  await pass();
  expect(useFeed.getState()).toMatchObject({ connection: "live", lostAt: null, generation: 2 });
  expect(useFeed.getState().book?.updateId).toBe(50);
  expect(useFeed.getState().trades?.map((one) => one.id)).toEqual(["9", "1"]);
  expect(socket.subscribed()).toHaveLength(2);
});

it("connects again where the hub has closed the session", async () => {
  await goLive();
  socket.active = false;
  socket.tell("disconnect", "io server disconnect");
  await pass(1_000);
  expect(socket.active).toBe(true);
});

it("asks no round trip while there is no connection", async () => {
  await goLive();
  expect(useFeed.getState().roundTripMs).toBe(0);
  socket.tell("disconnect", "transport close");
  const asked = socket.asked.length;
  await pass(10_000);
  expect(socket.asked).toHaveLength(asked);
  expect(useFeed.getState().roundTripMs).toBeNull();
});

it("leaves one pair for another, and shows nothing of the first", async () => {
  await goLive();
  let deliver = (_book: Snapshot) => {};
  readBook.mockReturnValueOnce(new Promise((done) => (deliver = done)));
  feed.follow("ETH-USD", "1m");
  expect(useFeed.getState()).toMatchObject({ book: null, trades: null });
  expect(socket.asked).toContainEqual({ event: "unsubscribe", data: { room: PAIR } });
  socket.tell("orderbook_update", update(11, 12));
  socket.tell("new_trade", trade(2));
  deliver(snapshot(3));
  await pass();
  expect(useFeed.getState().book).toMatchObject({ pair: "ETH-USD", updateId: 3 });
  expect(useFeed.getState().trades?.map((one) => one.id)).toEqual(["1"]);
});

it("asks for another interval without reading the book again", async () => {
  await goLive();
  feed.follow(PAIR, "5m");
  await pass();
  expect(socket.subscribed().at(-1)).toEqual({ room: PAIR, feed: "depth", interval: "5m" });
  expect(readBook).toHaveBeenCalledTimes(1);
});

it("tells its listeners of orders, trades and candles until they leave", async () => {
  const heard: unknown[] = [];
  const leave = [
    feed.onOrder((order) => heard.push(order)),
    feed.onTrade((one) => heard.push(one)),
    feed.onCandle((candle) => heard.push(candle)),
  ];
  const told = ["order_update", "new_trade", "candle_update"].map((event) => ({
    event,
    payload: { ...trade(1), event },
  }));
  const tellAll = () => {
    for (const { event, payload } of told) socket.tell(event, payload);
  };
  tellAll();
  for (const end of leave) end();
  tellAll();
  expect(heard).toEqual(told.map(({ payload }) => payload));
});
