import { describe, expect, it } from "vitest";
import { read } from "./decimal";
import { DepthBook } from "./depthBook";

const snapshot = {
  updateId: 10,
  bids: [
    { price: "99", quantity: "1" },
    { price: "100", quantity: "2" },
  ],
  asks: [{ price: "101", quantity: "3" }],
};
const update = (first: number, last: number, price = "100", quantity = "5") => ({
  firstUpdateId: first,
  lastUpdateId: last,
  bids: last < first ? [] : [{ price, quantity }],
  asks: [],
});

describe("the depth feed joined to a snapshot", () => {
  it("keeps updates until the snapshot is there and drops what it holds already", () => {
    const book = new DepthBook();
    expect(book.apply(update(9, 10, "100", "7"))).toBe("waiting");
    expect(book.apply(update(11, 12))).toBe("waiting");
    expect(book.load(snapshot)).toBe(true);
    expect(book.updateId).toBe(12);
    expect(book.sides().bids[0]).toEqual({ price: read("100"), quantity: read("5") });
  });
  it("sets, removes and sorts levels", () => {
    const book = new DepthBook();
    book.load(snapshot);
    expect(book.apply(update(11, 11, "100", "0"))).toBe("applied");
    expect(book.sides().bids.map((level) => level.price)).toEqual([read("99")]);
  });
  it("takes an update that overlaps what is known", () => {
    const book = new DepthBook();
    book.load(snapshot);
    expect(book.apply(update(8, 13))).toBe("applied");
    expect(book.apply(update(12, 13))).toBe("old");
  });
  it("asks again after a gap, and joins the update that showed it", () => {
    const book = new DepthBook();
    book.load(snapshot);
    expect(book.apply(update(13, 14))).toBe("gap");
    expect(book.sides().bids).toEqual([]);
    expect(book.load({ ...snapshot, updateId: 12 })).toBe(true);
    expect(book.updateId).toBe(14);
  });
  it("sees the gap in an update without levels, and says so again while the snapshot is old", () => {
    const book = new DepthBook();
    book.load(snapshot);
    expect(book.apply(update(11, 10))).toBe("old");
    expect(book.apply(update(21, 20))).toBe("gap");
    expect(book.load(snapshot)).toBe(false);
  });
  it("keeps what came behind a gap for the snapshot after", () => {
    const book = new DepthBook();
    book.apply(update(12, 12));
    book.apply(update(13, 13, "98", "4"));
    expect(book.load(snapshot)).toBe(false);
    expect(book.load({ ...snapshot, updateId: 12 })).toBe(true);
    expect(book.updateId).toBe(13);
  });
});
