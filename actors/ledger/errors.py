"""Errors of the ledger: bugs of its callers, and bytes that are not what they should be."""


class SequenceGapError(ValueError):
    """Events do not continue what a market's position in the ledger says."""


class UnreadableLedgerError(ValueError):
    """A ledger's snapshot is torn, of another shard, or of a version that this build lacks."""
