import { useFeed } from "../state/feed";

const WORDS = { live: "Live", connecting: "Connecting", lost: "Connection lost" };

/** How the feed is doing: whether it is there, and how long an answer takes. */
export function ConnectionDot() {
  const connection = useFeed((state) => state.connection);
  const roundTrip = useFeed((state) => state.roundTripMs);
  return (
    <div className="connection" data-testid="connection" data-state={connection}>
      <span className="dot" aria-hidden="true" />
      <span data-testid="connection-text">{WORDS[connection]}</span>
      <span
        className="text-dim num round-trip"
        title="How long the exchange takes to answer this page"
        data-testid="round-trip"
      >
        {roundTrip !== null && `${roundTrip} ms`}
      </span>
    </div>
  );
}
