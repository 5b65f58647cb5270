import { describe, expect, it } from "vitest";
import { read, text } from "./decimal";
import {
  amountOf,
  estimate,
  faults,
  isFar,
  request,
  snapAmount,
  snapPrice,
  totalOf,
} from "./rules";
import type { Draft, Market } from "./types";

const market: Market = {
  tradingPair: "BTC-USD",
  baseCurrency: "BTC",
  quoteCurrency: "USD",
  status: "TRADING",
  tickSize: "0.05",
  lotSize: "0.001",
  minNotional: "1",
  maxPrice: "1000000",
  maxQuantity: "1000",
  protectionPercent: "10",
};
const draft: Draft = {
  side: "BUY",
  kind: "LIMIT",
  price: "100",
  amount: "0.5",
  total: "",
  tif: "GTC",
  postOnly: false,
};
const level = (price: string, quantity: string) => ({
  price: read(price),
  quantity: read(quantity),
});

describe("the order form's arithmetic", () => {
  it("snaps to tick and lot and says why", () => {
    expect(snapPrice("100.07", market, "BUY").value).toBe("100.05");
    expect(snapPrice("100.07", market, "SELL").value).toBe("100.1");
    expect(snapPrice("100.07", market, "SELL").note).toContain("tick size of 0.05");
    expect(snapAmount("0.0019", market).value).toBe("0.001");
    expect(snapAmount("1", market)).toEqual({ value: "1", note: "" });
  });
  it("lets amount and total follow each other", () => {
    expect(totalOf("100.05", "0.5")).toBe("50.025");
    expect(amountOf("100.05", "50.025", market)).toBe("0.5");
    expect(amountOf("100.05", "50", market)).toBe("0.499");
    expect(totalOf("", "1")).toBe("");
  });
  it("walks the book for a market order", () => {
    const asks = [level("100", "1"), level("102", "1")];
    const walked = estimate(asks, read("2"));
    expect(walked && [text(walked.average), text(walked.slippage), walked.whole]).toEqual([
      "101",
      "1",
      true,
    ]);
    expect(estimate(asks, read("3"))?.whole).toBe(false);
    expect(estimate([], read("1"))).toBeNull();
  });
  it("asks again before a price that is far from the market", () => {
    expect(isFar({ ...draft, price: "120" }, read("99"), read("100"))).toBe(true);
    expect(isFar({ ...draft, price: "101" }, read("99"), read("100"))).toBe(false);
    expect(isFar({ ...draft, side: "SELL", price: "80" }, read("99"), undefined)).toBe(true);
    expect(isFar({ ...draft, price: "120" }, undefined, undefined)).toBe(false);
  });
  it("names what is missing or too little", () => {
    expect(faults(draft, market)).toEqual({});
    expect(faults({ ...draft, price: "" }, market).price).toBeDefined();
    expect(faults({ ...draft, amount: "0.001" }, market).amount).toContain("minimum");
  });
  it("sends a market order without a price", () => {
    const sent = request({ ...draft, kind: "MARKET" }, "BTC-USD", 1, "k");
    expect(sent).not.toHaveProperty("price");
    expect(sent.timeInForce).toBe("IOC");
    expect(request(draft, "BTC-USD", 1, "k").price).toBe("100");
  });
});
