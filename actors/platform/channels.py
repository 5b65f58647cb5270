"""Names of what lives in Redis: cached depth, live fan-out, and each pair's lag.

All values are MessagePack (msgspec). Everything here may be lost at any time: the depth comes
again with the next change, and clients of the fan-out resync by sequence.
"""

LAG_KEY = "forkast:lag"
HUB_KEY = "forkast:hub"


def depth_key(pair: str) -> str:
    """Name the cached `DepthSnapshot` of a pair."""
    return f"forkast:depth:{pair}"


def depth_channel(pair: str) -> str:
    """Name the channel of each `DepthSnapshot` (at most ten a second) of a pair."""
    return f"forkast:depth-top:{pair}"


def depth_changes_channel(pair: str) -> str:
    """Name the channel of every `DepthChange` of a pair."""
    return f"forkast:depth-changes:{pair}"


def candle_channel(pair: str) -> str:
    """Name the channel of one-second candles as they change."""
    return f"forkast:candles:{pair}"
