/** Decimals as whole numbers of 1e-8: prices, amounts and totals never pass through a float. */
const PLACES = 8;
export const ONE = 10n ** BigInt(PLACES);
const SHAPE = /^(-?)(\d*)(?:\.(\d{0,8}))?$/;

/** Return the number, or null where the text is no decimal with at most 8 places. */
export function parse(input: string): bigint | null {
  const match = SHAPE.exec(input.trim());
  if (!match) return null;
  const [, sign, whole = "", fraction = ""] = match;
  if (whole === "" && fraction === "") return null;
  const value = BigInt(whole || "0") * ONE + BigInt(fraction.padEnd(PLACES, "0"));
  return sign ? -value : value;
}

/** Return the number of a text that the server wrote; nothing reads as zero. */
export function read(input: string | null | undefined): bigint {
  return (input && parse(input)) || 0n;
}

/** Return the shortest text. */
export function text(value: bigint): string {
  const magnitude = value < 0n ? -value : value;
  const fraction = (magnitude % ONE).toString().padStart(PLACES, "0").replace(/0+$/, "");
  return `${value < 0n ? "-" : ""}${magnitude / ONE}${fraction ? `.${fraction}` : ""}`;
}

export function multiply(left: bigint, right: bigint): bigint {
  return (left * right) / ONE;
}

export function divide(left: bigint, right: bigint): bigint {
  return right === 0n ? 0n : (left * ONE) / right;
}

/** Return the nearest multiple of a step that is not above (down) or not below (up). */
export function snap(value: bigint, step: bigint, way: "down" | "up"): bigint {
  if (step <= 0n) return value;
  const down = value - (((value % step) + step) % step);
  return down === value || way === "down" ? down : down + step;
}

/** Return how many places a step such as "0.05" has. */
export function placesOf(step: string): number {
  const value = text(read(step));
  const dot = value.indexOf(".");
  return dot < 0 ? 0 : value.length - dot - 1;
}

/** Return a decimal's text with commas between its thousands. */
export function group(value: string): string {
  const [whole = "", fraction] = value.split(".");
  const grouped = whole.replace(/\B(?=(\d{3})+(?!\d))/g, ",");
  return fraction === undefined ? grouped : `${grouped}.${fraction}`;
}

/** Return a decimal's text for reading: grouped, with exactly so many places, cut off. */
export function format(value: string | bigint | null | undefined, places: number): string {
  if (value === null || value === undefined) return "–";
  const plain = text(typeof value === "bigint" ? value : read(value));
  const [whole = "0", fraction = ""] = plain.split(".");
  const cut = fraction.slice(0, places).padEnd(places, "0");
  return group(places > 0 ? `${whole}.${cut}` : whole);
}

/** Return a calculated amount for reading: seven digits at least, two places at least, cut off. */
export function brief(value: string | bigint): string {
  const plain = typeof value === "bigint" ? text(value) : value;
  const whole = plain.split(".")[0]?.replace("-", "") ?? "";
  const cut = format(plain, Math.max(2, 7 - (whole === "0" ? 0 : whole.length)));
  return cut.replace(/(\.\d\d\d*?)0+$/, "$1");
}

const COMPACT = new Intl.NumberFormat("en-US", {
  notation: "compact",
  maximumSignificantDigits: 4,
});

/** Return a volume for a glance: four digits, with K, M or B for thousands and more. */
export function compact(value: string | bigint | number): string {
  return COMPACT.format(typeof value === "number" ? value : drawable(value));
}

/** Return how many there are; "1,000+" where only so many have been read. */
export function counted(known: number, whole: boolean): string {
  return `${group(String(known))}${whole ? "" : "+"}`;
}

/** Return a change in percent with its sign, and whether it is one. */
export function change(percent: bigint): { shown: string; tone: "" | "text-up" | "text-down" } {
  const shown = format(percent, 2);
  if (/^-?0\.00$/.test(shown)) return { shown: "0.00%", tone: "" };
  return percent > 0n
    ? { shown: `+${shown}%`, tone: "text-up" }
    : { shown: `${shown}%`, tone: "text-down" };
}

/** Return a number for drawing only: a pixel, a bar, a chart's point. */
export function drawable(value: string | bigint): number {
  return Number(typeof value === "bigint" ? text(value) : value);
}
