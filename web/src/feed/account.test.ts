import { afterEach, beforeEach, expect, it, vi } from "vitest";
import { sampleOrder } from "../domain/samples";
import type { Order } from "../domain/types";
import { forgetAccount, takeOrder, useAccount } from "../state/account";
import { readAccount, readOlder } from "./account";

const order = (id: number, status: Order["status"]) => {
  const createdAt = new Date(id * 1_000).toISOString();
  return sampleOrder({ id: String(id), status, createdAt, sequence: id });
};

/** What the exchange holds, newest first, and what it was asked for. */
let held: Order[] = [];
let asked: URL[] = [];

/** Answer as the gateway does: pages whose cursor is the last order's id. */
async function answer(request: Request): Promise<Response> {
  const url = new URL(request.url);
  asked.push(url);
  if (url.pathname === "/fills") return Response.json({ fills: [], nextCursor: null });
  const statuses = url.searchParams.getAll("status");
  const cursor = Number(url.searchParams.get("cursor") ?? Number.POSITIVE_INFINITY);
  const limit = Number(url.searchParams.get("limit"));
  const found = held
    .filter((one) => statuses.length === 0 || statuses.includes(one.status))
    .filter((one) => Number(one.id) < cursor);
  const orders = found.slice(0, limit);
  return Response.json({ orders, nextCursor: found.length > limit ? orders.at(-1)?.id : null });
}
const known = () => [...useAccount.getState().orders.values()];
const open = (count: number) => Array.from({ length: count }, (_, at) => order(count - at, "OPEN"));

beforeEach(() => {
  vi.stubGlobal("fetch", answer);
  forgetAccount();
  asked = [];
});
afterEach(() => vi.unstubAllGlobals());

it("the way to the rest of a thousand open orders is kept, and leads there", async () => {
  held = open(2_300);
  await readAccount();
  expect(known()).toHaveLength(1_000);
  expect(useAccount.getState().next.open).not.toBeNull();
  await readOlder("open");
  await readOlder("open");
  expect(known()).toHaveLength(2_300);
  expect(useAccount.getState().next.open).toBeNull();
});

it("older orders are read on until one comes that is not known", async () => {
  held = open(1_200).map((one) => ({ ...one, status: "FILLED" as const }));
  await readAccount();
  useAccount.setState(({ next }) => ({ next: { ...next, history: "" } }));
  await readOlder("history");
  expect(known()).toHaveLength(1_000);
  await readOlder("history");
  expect(known()).toHaveLength(1_200);
  expect(useAccount.getState().next.history).toBeNull();
});

it("a second reading forgets what has ended, and no order that lies beyond its first page", async () => {
  held = open(1_500);
  await readAccount();
  await readOlder("open");
  held = held.filter((one) => one.id !== "3");
  await readAccount();
  const ids = known().map((one) => one.id);
  expect(ids).toHaveLength(1_499);
  expect(ids).not.toContain("3");
});

it("a list that has dropped its oldest orders says that there are more", async () => {
  held = [];
  await readAccount();
  expect(useAccount.getState().next.history).toBeNull();
  for (let id = 1; id <= 2_401; id += 1) takeOrder(order(id, "CANCELLED"));
  expect(known()).toHaveLength(2_000);
  held = known().reverse();
  held.push(...Array.from({ length: 401 }, (_, at) => order(401 - at, "CANCELLED")));
  while (useAccount.getState().next.history !== null) await readOlder("history");
  expect(known()).toHaveLength(2_401);
});

it("the exchange is asked with names that it documents", async () => {
  held = open(1_001);
  await readAccount();
  await readOlder("open");
  const names = new Set(asked.flatMap((url) => [...url.searchParams.keys()]));
  expect([...names].sort()).toEqual(["cursor", "limit", "status", "userId"]);
});
