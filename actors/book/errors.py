"""Errors in a book's bytes. A refused order is an event, never an exception."""


class UnreadableSnapshotError(ValueError):
    """A snapshot is torn, foreign or of another version; the sentence says which."""
