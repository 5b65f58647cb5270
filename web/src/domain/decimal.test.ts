import { describe, expect, it } from "vitest";
import {
  brief,
  change,
  compact,
  counted,
  divide,
  format,
  group,
  multiply,
  parse,
  read,
  snap,
  text,
} from "./decimal";

describe("decimals are whole numbers of 1e-8", () => {
  it("reads and writes without a float in between", () => {
    expect(parse("0.1")! + parse("0.2")!).toBe(parse("0.3"));
    expect(text(parse("50000.50")!)).toBe("50000.5");
    expect(text(-1n)).toBe("-0.00000001");
  });
  it("refuses what is not a decimal", () => {
    for (const bad of ["", ".", "1e5", "1.123456789", "--1", "1,5", " "])
      expect(parse(bad)).toBeNull();
  });
  it("multiplies and divides exactly where the result fits", () => {
    expect(multiply(parse("50000.5")!, parse("0.1")!)).toBe(parse("5000.05"));
    expect(divide(parse("5000.05")!, parse("0.1")!)).toBe(parse("50000.5"));
  });
  it("snaps down and up to a step", () => {
    expect(snap(parse("1.27")!, parse("0.05")!, "down")).toBe(parse("1.25"));
    expect(snap(parse("1.27")!, parse("0.05")!, "up")).toBe(parse("1.3"));
    expect(snap(parse("1.25")!, parse("0.05")!, "up")).toBe(parse("1.25"));
  });
  it("groups thousands and keeps the places asked for", () => {
    expect(group("1234567.5")).toBe("1,234,567.5");
    expect(format("1234.5", 2)).toBe("1,234.50");
    expect(format("0.00012345", 4)).toBe("0.0001");
  });
});
it("shortens what was calculated, and keeps what is small", () => {
  expect(brief("2284.49417308")).toBe("2,284.494");
  expect(brief("0.11001234")).toBe("0.1100123");
  expect(brief("803.9")).toBe("803.90");
  expect(brief("20")).toBe("20.00");
});
it("gives a change its sign, unless there is none", () => {
  expect(change(read("0.004")).shown).toBe("0.00%");
  expect(change(read("-0.004"))).toEqual({ shown: "0.00%", tone: "" });
  expect(change(read("1.5"))).toEqual({ shown: "+1.50%", tone: "text-up" });
  expect(change(read("-1.5"))).toEqual({ shown: "-1.50%", tone: "text-down" });
});

it("volumes are told in four digits", () => {
  const volumes = ["12.34567891", "0.00250000", "999.99", "1234.5", "2500000", "0"];
  expect(volumes.map(compact)).toEqual(["12.35", "0.0025", "1K", "1.235K", "2.5M", "0"]);
});

it("a count that stopped short says so", () => {
  expect(counted(1_000, false)).toBe("1,000+");
  expect(counted(1_000, true)).toBe("1,000");
  expect(counted(0, true)).toBe("0");
});
