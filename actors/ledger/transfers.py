"""What a sender's shard tells of its transfers, so that arrivals need not be kept for ever."""

import numpy as np

from actors.ledger.contract import Ledger
from actors.ledger.vocabulary import JournalKind


def over_before(ledger: Ledger, shard: int) -> int:
    """Return the number below which all transfers from this ledger to a shard's users are over.

    It is what the `related_id` of a TRANSFER_CLOSED in that shard's journal may say, from now on
    and for ever: later transfers get higher numbers (their `journaled`).
    """
    rows = ledger.transactions()
    on_their_way = (rows["kind"] == JournalKind.TRANSFER_OUT) & (rows["journaled"] != 0)
    to_shard = rows["related_user_id"] % ledger.shards == shard
    numbers = rows["journaled"][on_their_way & to_shard]
    return int(np.min(numbers, initial=ledger.journal_position + 1))
