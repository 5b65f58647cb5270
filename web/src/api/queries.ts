import { QueryClient, useQueries, useQuery } from "@tanstack/react-query";
import type { Market } from "../domain/types";
import { readMarkets, readTicker } from "./market";

export const queries = new QueryClient({
  defaultOptions: { queries: { retry: 1, refetchOnWindowFocus: false, staleTime: 5_000 } },
});

const ticker = (pair: string) => ({
  queryKey: ["ticker", pair],
  queryFn: () => readTicker(pair),
});

export function useMarkets() {
  return useQuery({ queryKey: ["markets"], queryFn: readMarkets, refetchInterval: 15_000 });
}

export function useMarket(pair: string): Market | undefined {
  return useMarkets().data?.find((market) => market.tradingPair === pair);
}

export function useTicker(pair: string) {
  return useQuery({ ...ticker(pair), refetchInterval: 5_000 });
}

/** Return the tickers of pairs, by pair, as they come. */
export function useTickers(pairs: readonly string[]) {
  return useQueries({
    queries: pairs.map(ticker),
    combine: (results) => new Map(results.map(({ data }) => [data?.tradingPair, data])),
  });
}
