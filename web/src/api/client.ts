import createClient from "openapi-fetch";
import type { components, paths } from "./contract";

export type Schemas = components["schemas"];
export type Order = Schemas["Order"];
export type Trade = Schemas["Trade"];
export type Fill = Schemas["Fill"];
export type Candle = Schemas["Candle"];
export type Market = Schemas["Market"];
export type Ticker = Schemas["Ticker"];
export type Book = Schemas["Book"];
export type PlaceOrder = Schemas["PlaceOrder"];
export type PlacedOrder = Schemas["PlacedOrder"];
export type AmendOrder = Schemas["AmendOrder"];
export type Side = Order["type"];

/** The gateway this page came from. `fetch` is looked up late, so that tests can replace it. */
export const client = createClient<paths>({
  baseUrl: typeof location === "undefined" ? "http://127.0.0.1" : location.origin,
  fetch: (request) => fetch(request),
});

/** A refusal in the server's own words. */
export class Refusal extends Error {
  constructor(
    message: string,
    readonly code: string,
    readonly orderId: string | null = null,
    /** What the request was answered with; 0 where there was no answer. */
    readonly status: number = 0,
  ) {
    super(message);
  }

  /** Whether what was asked may have been done all the same. */
  get unsettled(): boolean {
    return this.status === 0 || (this.status >= 500 && this.status !== 503);
  }
}

interface Answer<T> {
  data?: T | undefined;
  error?: unknown;
  response: Response;
}

/** Return what was answered, or throw the refusal. */
export async function answered<T>(asked: Promise<Answer<T>>): Promise<T> {
  const { data, error, response } = await asked.catch(() => {
    throw new Refusal("The exchange cannot be reached.", "UNREACHABLE");
  });
  if (data !== undefined && response.ok) return data;
  const told = (error ?? {}) as Partial<Schemas["Error"]>;
  throw new Refusal(
    told.message ?? `The exchange answered ${response.status}.`,
    told.code ?? "UNKNOWN",
    told.orderId ?? null,
    response.status,
  );
}

/** Return any error's sentence. */
export function sentence(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
