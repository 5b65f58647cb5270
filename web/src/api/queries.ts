import { QueryClient, useQuery } from "@tanstack/react-query";
import { answered, client, type Market } from "./client";

export const queries = new QueryClient({
  defaultOptions: { queries: { retry: 1, refetchOnWindowFocus: false, staleTime: 5_000 } },
});

export function useMarkets() {
  return useQuery({
    queryKey: ["markets"],
    queryFn: () => answered(client.GET("/markets")),
    refetchInterval: 15_000,
  });
}

export function useMarket(pair: string): Market | undefined {
  return useMarkets().data?.find((market) => market.tradingPair === pair);
}

export function useTicker(pair: string, enabled = true) {
  return useQuery({
    queryKey: ["ticker", pair],
    queryFn: () => answered(client.GET("/market/{pair}/ticker", { params: { path: { pair } } })),
    refetchInterval: enabled ? 5_000 : false,
    enabled,
  });
}
