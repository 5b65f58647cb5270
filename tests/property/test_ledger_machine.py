"""A state machine that drives books and ledgers through orders, journal, fences and restarts."""

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    Bundle,
    RuleBasedStateMachine,
    initialize,
    invariant,
    multiple,
    rule,
)

from actors.book.records import RecordArray
from actors.book.vocabulary import (
    CommandKind,
    Flag,
    OrderType,
    SelfTradePrevention,
    Side,
    TimeInForce,
)
from actors.ledger.vocabulary import JournalKind, Outcome
from tests.property.ledger_floor import BTC, ETH, MARKETS, USD, Floor, command, record

SHARDS = 2
START_US = 1_000
users = st.sampled_from([*range(1, 6)] * 5 + [0, 6, 7, -1])
market_ids = st.sampled_from([one.market_id for one in MARKETS])
assets = st.sampled_from([BTC, ETH, USD])
prices = st.sampled_from([*range(97, 104)] * 5 + [0, -1, 1, 1_000, 1_001])
quantities = st.sampled_from([*range(1, 60), 0, -1, 200, 201])
sides = st.sampled_from(Side)
amounts = st.integers(1, 40_000) | st.sampled_from([0, -1, 2**63 - 1, 2**62, 10**6])
maker_fees = st.sampled_from([0, 1_000, 100_000, -500, -100_000])
Order = tuple[int, int, int]


class LedgerMachine(RuleBasedStateMachine):
    """Commands wait to be written, applied and settled, each in a step of its own."""

    orders: Bundle[Order] = Bundle("orders")
    transactions: Bundle[tuple[int, int]] = Bundle("transactions")
    arrivals: Bundle[RecordArray] = Bundle("arrivals")

    def __init__(self) -> None:
        super().__init__()
        self.floor = Floor(shards=SHARDS)
        self.numbers = 0
        self.clock_us = START_US

    def number(self) -> int:
        self.numbers += 1
        return self.numbers

    @initialize(poor=st.integers(1, 5))
    def open_accounts(self, poor: int) -> None:
        for user_id in range(1, 6):
            self.journal(JournalKind.OPEN, user_id=user_id, fee_tier=user_id)
            for asset in (BTC, ETH, USD):
                amount = 300_000 if user_id == poor else 10**9
                self.journal(JournalKind.DEPOSIT, user_id=user_id, asset=asset, amount=amount)

    def journal(self, kind: JournalKind, **fields: int) -> int:
        """Write a record by the user's shard; return its id."""
        fields.setdefault("id", self.number())
        row = record(kind, **fields)
        self.floor.write(self.floor.shard_of(fields["user_id"]), row)
        return fields["id"]

    def bring_on(self, market_id: int, at_once: bool) -> None:
        if at_once:
            self.floor.apply(market_id)
            self.floor.settle(market_id)

    def place(
        self, market_id: int, row: RecordArray, *, at_once: bool, late: bool = False
    ) -> Order:
        order_id = int(row["order_id"][0])
        row["command_id"], row["time_us"] = self.number(), self.clock_us
        row["taker_fee"] = 100_000 if row["maker_fee"][0] < 0 else max(row["maker_fee"][0], 2_000)
        self.floor.send(market_id, row, late=late)
        self.bring_on(market_id, at_once)
        return market_id, order_id, int(row["user_id"][0])

    @rule(
        target=orders,
        market_id=market_ids,
        user_id=users,
        side=sides,
        price_ticks=prices,
        quantity_lots=quantities,
        tif=st.sampled_from([TimeInForce.GTC] * 6 + [*TimeInForce]),
        prevention=st.sampled_from(SelfTradePrevention),
        post_only=st.sampled_from([False, False, False, True]),
        maker_fee=maker_fees,
        at_once=st.booleans(),
        late=st.sampled_from([False, False, False, True]),
    )
    def place_limit(
        self,
        market_id: int,
        tif: TimeInForce,
        prevention: SelfTradePrevention,
        post_only: bool,
        late: bool,
        at_once: bool,
        **fields: int,
    ) -> Order:
        row = command(CommandKind.PLACE, order_type=OrderType.LIMIT, **fields)
        row["order_id"] = self.number()
        row["time_in_force"] = tif
        row["self_trade_prevention"] = prevention
        row["flags"] = Flag.POST_ONLY if post_only else 0
        row["expires_us"] = self.clock_us + 20
        return self.place(market_id, row, at_once=at_once, late=late)

    @rule(
        target=orders,
        market_id=market_ids,
        two=st.lists(st.integers(1, 5), min_size=2, max_size=2),
        side=sides,
        price_ticks=st.integers(97, 103),
        better=st.sampled_from([0, 0, 1, 3]),
        lots=st.lists(st.integers(1, 60), min_size=2, max_size=2),
        prevention=st.sampled_from(SelfTradePrevention),
        fees=st.lists(maker_fees, min_size=2, max_size=2),
    )
    def meet(  # type: ignore[no-untyped-def]
        self,
        market_id: int,
        two: list[int],
        side: Side,
        price_ticks: int,
        better: int,
        lots: list[int],
        prevention: SelfTradePrevention,
        fees: list[int],
    ):
        """Let two orders meet, at a price that is better than the second one's limit."""
        placed = []
        for turn in range(2):
            row = command(CommandKind.PLACE, order_type=OrderType.LIMIT, user_id=two[turn])
            row["order_id"], row["time_in_force"] = self.number(), TimeInForce.GTC
            row["side"] = side if turn else Side.BUY + Side.SELL - side
            row["price_ticks"] = price_ticks + turn * better * (1 if side == Side.BUY else -1)
            row["quantity_lots"], row["maker_fee"] = lots[turn], fees[turn]
            row["self_trade_prevention"] = prevention
            placed.append(self.place(market_id, row, at_once=turn == 1))
        return multiple(*placed)

    @rule(
        target=orders,
        market_id=market_ids,
        user_id=users,
        side=sides,
        amount=quantities,
        price=st.integers(97, 103),
        by_quote=st.booleans(),
        share=st.integers(0, 120),
        tif=st.sampled_from([TimeInForce.IOC, TimeInForce.IOC, TimeInForce.FOK]),
        prevention=st.sampled_from(SelfTradePrevention),
        maker_fee=maker_fees,
        at_once=st.booleans(),
    )
    def place_market(
        self,
        market_id: int,
        amount: int,
        price: int,
        by_quote: bool,
        share: int,
        tif: TimeInForce,
        prevention: SelfTradePrevention,
        at_once: bool,
        **fields: int,
    ) -> Order:
        row = command(CommandKind.PLACE, order_type=OrderType.MARKET, **fields)
        row["order_id"] = self.number()
        row["time_in_force"] = tif
        row["self_trade_prevention"] = prevention
        row["quote_units" if by_quote else "quantity_lots"] = amount * price if by_quote else amount
        if by_quote == (fields["side"] == Side.SELL):
            row["budget"] = amount * share // 100 if by_quote else amount * price * share // 100
        return self.place(market_id, row, at_once=at_once)

    @rule(
        order=orders,
        price_ticks=st.just(0) | prices,
        quantity_lots=st.just(0) | quantities,
        at_once=st.booleans(),
        fate=st.sampled_from(["written", "written", "late", "lost"]),
    )
    def amend(self, order: Order, at_once: bool, fate: str, **fields: int) -> None:
        market_id, order_id, user_id = order
        row = command(CommandKind.AMEND, order_id=order_id, user_id=user_id, **fields)
        row["command_id"], row["time_us"] = self.number(), self.clock_us
        self.floor.send(market_id, row, late=fate == "late", lost=fate == "lost")
        self.bring_on(market_id, at_once)

    @rule(order=orders, user_id=users)
    def cancel(self, order: Order, user_id: int) -> None:
        market_id, order_id, owner = order
        row = command(CommandKind.CANCEL, order_id=order_id, command_id=self.number())
        row["user_id"] = owner if user_id else 0
        self.floor.send(market_id, row)

    @rule(market_id=market_ids, user_id=users, side=st.sampled_from([0, 1, 2]))
    def cancel_all(self, market_id: int, **fields: int) -> None:
        row = command(CommandKind.CANCEL_ALL, command_id=self.number(), **fields)
        self.floor.send(market_id, row)

    @rule(
        market_id=market_ids,
        kind=st.sampled_from([CommandKind.HALT, *[CommandKind.RESUME, CommandKind.CLOCK] * 4]),
        elapsed_us=st.integers(0, 15),
    )
    def operate(self, market_id: int, kind: CommandKind, elapsed_us: int) -> None:
        self.clock_us += elapsed_us
        row = command(kind, command_id=self.number(), time_us=self.clock_us)
        self.floor.written[market_id].append(row)

    @rule(
        market_id=market_ids,
        user_id=users,
        side=sides,
        price_ticks=st.integers(1, 110),
        order=orders,
        amends=st.booleans(),
    )
    def fail_to_write(self, market_id: int, order: Order, amends: bool, **fields: int) -> None:
        row = command(CommandKind.PLACE, order_type=OrderType.LIMIT, quantity_lots=9, **fields)
        row["order_id"] = self.number()
        if amends:
            market_id, order_id, user_id = order
            row = command(CommandKind.AMEND, order_id=order_id, user_id=user_id, price_ticks=120)
        row["command_id"] = self.number()
        before = self.floor.ledgers[self.floor.shard_of(int(row["user_id"][0]))][0].holds()
        if self.floor.hold(market_id, row)["outcome"] == Outcome.DONE:
            self.floor.release(market_id, row)
        after = self.floor.ledgers[self.floor.shard_of(int(row["user_id"][0]))][0].holds()
        assert before.tolist() == after.tolist()

    @rule(
        kind=st.sampled_from(
            [JournalKind.OPEN, JournalKind.DEPOSIT, JournalKind.ADJUSTMENT, JournalKind.FEE_TIER]
        ),
        user_id=users,
        asset=assets,
        amount=amounts,
        lost=st.booleans(),
        key=st.integers(0, 8),
    )
    def change(self, kind: JournalKind, amount: int, lost: bool, **fields: int) -> None:
        if lost and kind == JournalKind.ADJUSTMENT:
            amount = -min(amount, 50_000)
        self.journal(kind, amount=amount, fee_tier=amount & 7, **fields)

    @rule(
        kind=st.sampled_from([JournalKind.FREEZE, JournalKind.UNFREEZE, JournalKind.CLOSE]),
        user_id=st.integers(5, 7),
    )
    def set_status(self, kind: JournalKind, user_id: int) -> None:
        self.journal(kind, user_id=user_id)

    @rule(
        target=transactions,
        user_id=users,
        asset=assets,
        amount=amounts,
        key=st.integers(0, 8),
        written=st.sampled_from([True, True, False]),
    )
    def withdraw(self, user_id: int, written: bool, **fields: int) -> tuple[int, int]:
        transaction_id, shard = self.number(), self.floor.shard_of(user_id)
        row = record(JournalKind.WITHDRAWAL, id=transaction_id, user_id=user_id, **fields)
        if written:
            self.floor.write(shard, row)
        elif self.floor.admit(shard, row)["outcome"] == Outcome.DONE:
            self.floor.retract(shard, row)
        return transaction_id, user_id

    @rule(
        transaction=transactions,
        kind=st.sampled_from(
            [
                JournalKind.WITHDRAWAL_CONFIRMED,
                JournalKind.WITHDRAWAL_REFUSED,
                JournalKind.TRANSFER_SETTLED,
            ]
        ),
        key=st.integers(0, 8),
    )
    def end(self, transaction: tuple[int, int], kind: JournalKind, key: int) -> None:
        transaction_id, user_id = transaction
        self.journal(kind, user_id=user_id, related_id=transaction_id, key=key)

    @rule(
        target=arrivals,
        user_id=users,
        related_user_id=users,
        asset=assets,
        amount=amounts,
        key=st.integers(0, 8),
        arrives=st.booleans(),
        again=st.booleans(),
    )
    def transfer(self, arrives: bool, again: bool, **fields: int):  # type: ignore[no-untyped-def]
        """Send money; the other account has it, or cannot take it and gives it back."""
        transaction_id = self.number()
        row = record(JournalKind.TRANSFER_OUT, id=transaction_id, **fields)
        left_from = self.floor.shard_of(fields["user_id"])
        done = self.floor.write(left_from, row)
        if done["outcome"] != Outcome.DONE or done["repeated"] or not arrives:
            return multiple()
        way_in = dict(fields, user_id=fields["related_user_id"], related_user_id=fields["user_id"])
        row = record(JournalKind.TRANSFER_IN, id=transaction_id, **way_in)
        row["related_id"] = self.floor.offsets[left_from]
        shard = self.floor.shard_of(way_in["user_id"])
        taken = self.floor.write(shard, row)["outcome"] == Outcome.DONE
        if again and taken:
            assert self.floor.write(shard, row)["repeated"]
        kind = JournalKind.TRANSFER_SETTLED if taken else JournalKind.TRANSFER_REFUSED
        self.journal(kind, user_id=fields["user_id"], related_id=transaction_id)
        return multiple(row)

    @rule(arrival=arrivals)
    def come_once_more(self, arrival: RecordArray) -> None:
        """A copy comes late; the sums say whether money was made."""
        shard = self.floor.shard_of(int(arrival["user_id"][0]))
        answer = self.floor.write(shard, arrival)
        assert answer["repeated"] or answer["outcome"] != Outcome.DONE

    @rule(sender=st.integers(0, SHARDS - 1), receiver=st.integers(0, SHARDS - 1))
    def close_transfers(self, sender: int, receiver: int) -> None:
        assert self.floor.close_transfers(sender, receiver)["outcome"] == Outcome.DONE

    @rule(market_id=market_ids)
    def apply(self, market_id: int) -> None:
        self.floor.apply(market_id)

    @rule(market_id=market_ids, repeat=st.booleans())
    def settle(self, market_id: int, repeat: bool) -> None:
        self.floor.settle(market_id, repeat=repeat)

    @rule(shard=st.integers(0, 4 * SHARDS), admitted=st.booleans())
    def fence(self, shard: int, admitted: bool) -> None:
        if shard >= SHARDS:
            return
        if admitted:
            user_id = 2 + shard
            row = record(JournalKind.WITHDRAWAL, id=self.number(), user_id=user_id, asset=USD)
            row["amount"] = 5
            self.floor.admit(self.floor.shard_of(user_id), row)
        self.floor.fence(shard)

    @rule()
    def restart_from_snapshots(self) -> None:
        self.floor.restart()

    @invariant()
    def ledgers_agree_and_sums_hold(self) -> None:
        self.floor.compare()
        self.floor.assert_sums_hold()

    def teardown(self) -> None:
        self.floor.flush()
        self.floor.compare()
        self.floor.assert_sums_hold()
        self.floor.assert_holds_are_what_open_orders_may_cost()


TestLedgerMachine = LedgerMachine.TestCase
TestLedgerMachine.settings = settings(
    max_examples=40,
    stateful_step_count=60,
    deadline=None,
    print_blob=True,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much],
)
