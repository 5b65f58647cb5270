import { useFeed } from "../state/feed";
import { clock } from "../ui/time";

/** Say that what is on the screen is old, and since when. */
export function FrozenBanner() {
  const lost = useFeed((state) => state.connection === "lost");
  const since = useFeed((state) => state.lostAt);
  if (!lost || since === null) return null;
  return (
    <div className="frozen-banner" role="alert" data-testid="frozen-banner">
      Connection lost since {clock(since)}. The numbers are frozen; trying to reconnect.
    </div>
  );
}
