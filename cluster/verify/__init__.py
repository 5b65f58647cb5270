"""`forkast verify`: the log of every pair, folded anew, held against everything else.

Each module but `run` is one check, or what several checks stand on (`fold`, `spool`, `report`).
"""

from cluster.verify.books import BookSource, HttpBooks
from cluster.verify.report import Check, Report
from cluster.verify.run import verify

__all__ = ["BookSource", "Check", "HttpBooks", "Report", "verify"]
