"""A state machine that drives the naive and the compiled book through every command."""

import numpy as np
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    Bundle,
    RuleBasedStateMachine,
    consumes,
    initialize,
    invariant,
    precondition,
    rule,
)

from actors.book.compiled import CompiledBook
from actors.book.naive import NaiveBook
from actors.book.records import COMMAND_DTYPE, RecordArray, encode_client_order_id
from actors.book.vocabulary import (
    CommandKind,
    Flag,
    OrderType,
    SelfTradePrevention,
    Side,
    TimeInForce,
)
from tests.property.checker import Checker
from tests.property.streams import ARENAS
from tests.property.twins import Twins

MARKET = ARENAS["crowded"].market
prices = st.integers(90, 110) | st.sampled_from([0, -1, 1, 999_999, 1_000_000, 1_000_001])
quantities = st.integers(1, 60) | st.sampled_from([0, -1, 10_000, 10_001])
users = st.integers(1, 4) | st.sampled_from([0, -1])
sides = st.sampled_from(Side)
shards = st.sampled_from([0, 1, 65_535])
generations = st.sampled_from([0, 0, 1, 2, 3, 4])
ids = st.sampled_from(["", "", "a", "b", "c", "x" * 36])


def command(kind: CommandKind, **fields: int) -> RecordArray:
    """Return one command."""
    row = np.zeros(1, COMMAND_DTYPE)
    row["kind"] = kind
    for name, value in fields.items():
        row[name] = value
    return row


class BookMachine(RuleBasedStateMachine):
    """Commands wait in a batch until `apply` hands them to both books."""

    orders: Bundle[int] = Bundle("orders")

    def __init__(self) -> None:
        super().__init__()
        self.twins = Twins(MARKET)
        self.checker = Checker()
        self.waiting: list[RecordArray] = []
        self.commands = 0
        self.clock_us = 1_000

    @initialize(target=orders)
    def start(self) -> int:
        return 1

    def send(self, row: RecordArray) -> None:
        self.commands += 1
        row["command_id"] = self.commands
        row["time_us"] = self.clock_us
        self.waiting.append(row)

    @rule(
        target=orders,
        order_id=st.integers(1, 10_000),
        user_id=users,
        side=sides,
        price_ticks=prices,
        quantity_lots=quantities,
        tif=st.sampled_from(TimeInForce),
        prevention=st.sampled_from(SelfTradePrevention),
        post_only=st.booleans(),
        lives_us=st.integers(-1, 50),
        client_order_id=ids,
        generation=generations,
        maker_fee=st.sampled_from([0, -100, 100_000, 100_001, -101]),
        taker_fee=st.sampled_from([100, 1_000]),
        list_id=st.sampled_from([0, 0, 0, 1]),
    )
    def place_limit(
        self,
        order_id: int,
        tif: TimeInForce,
        prevention: SelfTradePrevention,
        post_only: bool,
        lives_us: int,
        client_order_id: str,
        **fields: int,
    ) -> int:
        row = command(CommandKind.PLACE, order_id=order_id, order_type=OrderType.LIMIT, **fields)
        row["time_in_force"] = tif
        row["self_trade_prevention"] = prevention
        rests = tif in (TimeInForce.GTC, TimeInForce.GTD)
        row["flags"] = Flag.POST_ONLY if post_only and rests else 0
        row["expires_us"] = self.clock_us + lives_us
        row["client_order_id"] = encode_client_order_id(client_order_id)
        self.send(row)
        return order_id

    @rule(
        order_id=st.integers(1, 10_000),
        user_id=users,
        side=sides,
        amount=quantities,
        price_ticks=prices,
        by_quote=st.booleans(),
        tif=st.sampled_from([TimeInForce.IOC, TimeInForce.FOK]),
        prevention=st.sampled_from(SelfTradePrevention),
        client_order_id=ids,
        has_budget=st.booleans(),
        lots_paid_for=st.integers(0, 40),
        shard=shards,
        generation=generations,
    )
    def place_market(
        self,
        amount: int,
        price_ticks: int,
        by_quote: bool,
        has_budget: bool,
        lots_paid_for: int,
        tif: TimeInForce,
        prevention: SelfTradePrevention,
        client_order_id: str,
        **fields: int,
    ) -> None:
        row = command(CommandKind.PLACE, order_type=OrderType.MARKET, **fields)
        row["time_in_force"] = TimeInForce.IOC if by_quote else tif
        row["self_trade_prevention"] = prevention
        row["quote_units" if by_quote else "quantity_lots"] = (
            amount * abs(price_ticks) if by_quote else amount
        )
        if has_budget:
            is_sell = fields["side"] == Side.SELL
            row["budget"] = lots_paid_for if is_sell else lots_paid_for * 100 - 1
        row["client_order_id"] = encode_client_order_id(client_order_id)
        self.send(row)

    @rule(order_id=consumes(orders), user_id=users)
    def cancel(self, order_id: int, user_id: int) -> None:
        self.send(command(CommandKind.CANCEL, order_id=order_id, user_id=user_id))

    @rule(order_id=orders)
    def cancel_as_operator(self, order_id: int) -> None:
        self.send(command(CommandKind.CANCEL, order_id=order_id))

    @rule(
        order_id=orders,
        user_id=st.just(0) | users,
        price_ticks=st.just(0) | prices,
        quantity_lots=st.just(0) | quantities,
        shard=shards,
        generation=generations,
    )
    def amend(self, **fields: int) -> None:
        self.send(command(CommandKind.AMEND, **fields))

    @rule(user_id=users, side=st.sampled_from([0, 1, 2, 9]))
    def cancel_all(self, user_id: int, side: int) -> None:
        self.send(command(CommandKind.CANCEL_ALL, user_id=user_id, side=side))

    @rule()
    def halt(self) -> None:
        self.send(command(CommandKind.HALT))

    @precondition(lambda self: self.twins.naive.halted)
    @rule()
    def resume(self) -> None:
        self.send(command(CommandKind.RESUME))

    @rule(shard=shards, generation=st.integers(-1, 4))
    def fence(self, shard: int, generation: int) -> None:
        self.send(command(CommandKind.FENCE, shard=shard, generation=generation))

    @rule(elapsed_us=st.integers(-5, 30))
    def tick(self, elapsed_us: int) -> None:
        self.clock_us += elapsed_us
        self.send(command(CommandKind.CLOCK))

    @rule(kind=st.sampled_from([0, 9, 255]), order_id=st.integers(-1, 5))
    def send_nonsense(self, kind: int, order_id: int) -> None:
        row = command(CommandKind.MALFORMED, order_id=order_id)
        row["kind"] = kind
        self.send(row)

    @rule()
    def apply(self) -> None:
        if self.waiting:
            batch = np.concatenate(self.waiting)
            self.waiting = []
            self.checker.follow(batch, self.twins.apply(batch).events)

    @rule()
    def restart_from_snapshots(self) -> None:
        self.twins.naive = NaiveBook.restore(MARKET, self.twins.naive.snapshot())
        self.twins.compiled = CompiledBook.restore(MARKET, self.twins.compiled.snapshot())

    @invariant()
    def books_agree(self) -> None:
        self.twins.compare()

    def teardown(self) -> None:
        self.apply()
        self.twins.compare()


TestBookMachine = BookMachine.TestCase
TestBookMachine.settings = settings(
    max_examples=60,
    stateful_step_count=80,
    deadline=None,
    print_blob=True,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much],
)
