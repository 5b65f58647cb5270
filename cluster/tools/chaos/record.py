"""Record of an order as a client remembers it: what it asked, and all that it was told."""

from dataclasses import dataclass, field
from typing import Any


@dataclass(kw_only=True, slots=True)
class Sent:
    """One order under one client order id, sent again until its answer is known.

    `unavailable` counts the answers that said that nothing was done, `attempts` all.
    """

    client_order_id: str
    body: dict[str, Any]
    attempts: int = 0
    unavailable: int = 0
    order_id: int = 0
    cancelled: bool = False
    contradictions: list[str] = field(default_factory=list)

    @property
    def pair(self) -> str:
        pair: str = self.body["tradingPair"]
        return pair

    @property
    def settled(self) -> bool:
        """Say whether the order's answer is known, be it one that must not be."""
        return self.order_id > 0 or bool(self.contradictions)

    def answered(self, answer: dict[str, Any] | None) -> None:
        """Note an answer, None where there was none."""
        self.attempts += 1
        if answer is None:
            return
        if "code" not in answer:
            if "orderId" in answer:
                self._accepted(int(answer["orderId"]))
            return
        if answer["statusCode"] == 503:
            self.unavailable += 1
        elif answer["statusCode"] < 500:
            self.contradictions.append(f"a sound order was refused: {answer}")

    def _accepted(self, order_id: int) -> None:
        if self.order_id not in (0, order_id):
            self.contradictions.append(f"accepted as {self.order_id} and as {order_id}")
        self.order_id = order_id
