import { QueryClientProvider } from "@tanstack/react-query";
import { StrictMode } from "react";
import { createRoot } from "react-dom/client";
import { io } from "socket.io-client";
import { readBook, readTrades } from "./api/market";
import { queries } from "./api/queries";
import { followAccount } from "./feed/account";
import { FeedContext } from "./feed/context";
import { createFeed } from "./feed/feed";
import { App } from "./layout/App";
import { useFeed } from "./state/feed";
import "./ui/style.css";

const socket = io({
  autoConnect: false,
  transports: ["websocket", "polling"],
  reconnectionDelayMax: 2_000,
});
const feed = createFeed(socket, { readBook, readTrades });
followAccount(feed);
useFeed.subscribe((now, before) => {
  // What was read before the connection was lost may be old.
  if (now.generation > before.generation && before.generation > 0) void queries.invalidateQueries();
});
const root = document.getElementById("root");
if (root)
  createRoot(root).render(
    <StrictMode>
      <QueryClientProvider client={queries}>
        <FeedContext value={feed}>
          <App />
        </FeedContext>
      </QueryClientProvider>
    </StrictMode>,
  );
