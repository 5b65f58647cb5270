import { useFeed } from "../feed/store";

const WORDS = { live: "Live", connecting: "Connecting", lost: "Connection lost" };

/** How the feed is doing: state, time there and back, and how old a trade is when it comes. */
export function ConnectionDot() {
  const connection = useFeed((state) => state.connection);
  const roundTrip = useFeed((state) => state.roundTripMs);
  const lag = useFeed((state) => state.lagMs);
  return (
    <div className="connection" data-testid="connection" data-state={connection}>
      <span className="dot" aria-hidden="true" />
      <span data-testid="connection-text">{WORDS[connection]}</span>
      {connection === "live" && (
        <span className="text-dim num connection-figures">
          <span title="Round trip to the exchange">{roundTrip ?? "–"} ms</span>
          <span title="Age of the last trade when it arrived">lag {lag ?? "–"} ms</span>
        </span>
      )}
    </div>
  );
}
