import createClient from "openapi-fetch";
import type { paths } from "../domain/contract";
import { Refusal } from "../domain/refusal";
import type { Schemas } from "../domain/types";

/** The gateway this page came from. `fetch` is looked up late, so that tests can replace it. */
export const client = createClient<paths>({
  baseUrl: typeof location === "undefined" ? "http://127.0.0.1" : location.origin,
  fetch: (request) => fetch(request),
});

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
