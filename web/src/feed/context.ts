import { createContext, useContext } from "react";
import type { Feed } from "./feed";

/** The feed that the page was started with. */
export const FeedContext = createContext<Feed | null>(null);

/** Return the page's feed; throws where nothing around the component gives one. */
export function useLiveFeed(): Feed {
  const feed = useContext(FeedContext);
  if (!feed) throw new Error("no feed is given here");
  return feed;
}
