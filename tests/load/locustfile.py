"""Reference platform's flow for Locust: limit orders on a random market and side.

    locust -f tests/load/locustfile.py --host http://127.0.0.1:3001 --users 10 --spawn-rate 10

Each user pauses for 50 to 70 ms after an answer. `forkast bench locust` runs it without a window.
A 503 counts as a failure by its code: the platform refused more than it can take.
"""

import random

from locust import FastHttpUser, between, task

_MID = 1_000
_STEPS = 20
_UNITS = 10


class Trader(FastHttpUser):
    """One client of the exchange."""

    wait_time = between(0.05, 0.07)
    pairs: list[str]

    def on_start(self) -> None:
        """Learn the markets."""
        self.pairs = [market["tradingPair"] for market in self.client.get("/markets").json()]

    @task
    def place(self) -> None:
        """Place a limit order about the mid: half of them meet one of the other side."""
        order = {
            "tradingPair": random.choice(self.pairs),
            "type": random.choice(("BUY", "SELL")),
            "price": str(_MID + random.randint(-_STEPS, _STEPS)),
            "quantity": f"0.{random.randint(1, _UNITS):02}",
            "userId": 1,
        }
        with self.client.post("/orders", json=order, catch_response=True) as answer:
            if answer.status_code != 201:
                told = answer.json() if answer.text else {}
                answer.failure(f"{answer.status_code} {told.get('code', '')}".strip())
