"""The journal's records, judged and applied."""

from actors.book.kernel.jit import index, inlined, inner
from actors.book.kernel.tables import probe, vacate
from actors.ledger.kernel.arrivals import (
    KEY_REUSED,
    close_arrivals,
    keep_arrival,
    known_arrival,
)
from actors.ledger.kernel.holding import (
    CLOSED,
    DONE,
    DUPLICATE,
    FROZEN,
    INSUFFICIENT,
    IS_CLOSED,
    IS_FENCED,
    IS_FROZEN,
    MALFORMED,
    UNKNOWN,
    UNKNOWN_ACCOUNT,
    owns,
    status_of,
)
from actors.ledger.kernel.keys import has_key, remember, remembered, says_the_same
from actors.ledger.kernel.layout import (
    A_SEQUENCE,
    A_STATUS,
    A_TIER,
    B_AVAILABLE,
    B_HELD,
    B_USER,
    J_AMOUNT,
    J_ASSET,
    J_GENERATION,
    J_ID,
    J_RELATED,
    J_RELATED_USER,
    J_TIER_SHIFT,
    J_USER,
    K_ID,
    K_OUTCOME,
    NONE,
    O_ID,
    O_USER,
    R_ASSET,
    R_AVAILABLE,
    R_ID,
    R_NEEDED,
    REPEATED_SHIFT,
    RESULT_WORDS,
    S_GENERATION,
    S_LIMIT,
    S_TRANSACTIONS,
    T_SUPPLY,
    T_TRANSIT,
    X_AMOUNT,
    X_ASSET,
    X_ID,
    X_JOURNALED,
    X_KIND,
    X_RELATED_USER,
    X_USER,
    Tables,
    Words,
)
from actors.ledger.kernel.rows import account_of, available_of, balance_of, supply_of, total_of
from actors.ledger.vocabulary import AccountStatus, JournalKind, Outcome

OPEN = int(JournalKind.OPEN)
DEPOSIT, ADJUSTMENT = int(JournalKind.DEPOSIT), int(JournalKind.ADJUSTMENT)
WITHDRAWAL = int(JournalKind.WITHDRAWAL)
WITHDRAWAL_CONFIRMED = int(JournalKind.WITHDRAWAL_CONFIRMED)
WITHDRAWAL_REFUSED = int(JournalKind.WITHDRAWAL_REFUSED)
TRANSFER_OUT, TRANSFER_IN = int(JournalKind.TRANSFER_OUT), int(JournalKind.TRANSFER_IN)
TRANSFER_REFUSED = int(JournalKind.TRANSFER_REFUSED)
FEE_TIER, FREEZE = int(JournalKind.FEE_TIER), int(JournalKind.FREEZE)
UNFREEZE, CLOSE = int(JournalKind.UNFREEZE), int(JournalKind.CLOSE)
FENCE = int(JournalKind.FENCE)
TRANSFER_CLOSED = int(JournalKind.TRANSFER_CLOSED)
ACTIVE = int(AccountStatus.ACTIVE)
UNKNOWN_TRANSACTION = int(Outcome.UNKNOWN_TRANSACTION)
ABOVE_LIMIT = int(Outcome.ABOVE_LIMIT)
NOT_EMPTY = int(Outcome.NOT_EMPTY)


@inlined
def _takes(kind: int) -> bool:
    return kind in (WITHDRAWAL, TRANSFER_OUT)


@inlined
def _is_of_amount(kind: int) -> bool:
    return kind in (DEPOSIT, ADJUSTMENT, WITHDRAWAL, TRANSFER_OUT, TRANSFER_IN)


@inlined
def _is_end(kind: int) -> bool:
    return WITHDRAWAL_CONFIRMED <= kind <= TRANSFER_REFUSED and kind not in (
        TRANSFER_OUT,
        TRANSFER_IN,
    )


@inlined
def _taken(words: Words, base: int) -> int:
    """Return how much of what is available the record takes when it is admitted."""
    kind, amount = words[base] & 0xFF, words[base + J_AMOUNT]
    if _takes(kind):
        return amount
    return -amount if kind == ADJUSTMENT and amount < 0 else 0


@inner
def _judged(t: Tables, words: Words, base: int) -> int:
    """Return what journal and status say of a record that is no fence, older, repeated or known."""
    kind, user = words[base] & 0xFF, words[base + J_USER]
    if kind == TRANSFER_CLOSED:
        return DONE if words[base + J_RELATED_USER] >= 1 else MALFORMED
    status = status_of(t, user)
    if kind == OPEN:
        if not owns(t, user):
            return MALFORMED
        return DONE if status == UNKNOWN else DUPLICATE
    if status == UNKNOWN:
        return UNKNOWN_ACCOUNT
    if status == CLOSED and kind != ADJUSTMENT and not _is_end(kind):
        return IS_CLOSED
    if status == FROZEN and _takes(kind):
        return IS_FROZEN
    if _is_of_amount(kind):
        return _judged_by_amount(t, words, base)
    if _is_end(kind):
        return _judged_by_transaction(t, words, base)
    return DONE


@inner
def _judged_by_amount(t: Tables, words: Words, base: int) -> int:
    kind, amount, asset = words[base] & 0xFF, words[base + J_AMOUNT], words[base + J_ASSET]
    limit = t.state[S_LIMIT]
    least = -limit if kind == ADJUSTMENT else 1
    if asset < 1 or amount < least or amount == 0:
        return MALFORMED
    if kind in (DEPOSIT, ADJUSTMENT):
        supply = supply_of(t, asset)
        # Neither sum can leave 64 bits.
        above = amount > limit - supply if supply > 0 else supply + amount > limit
        if above:
            return ABOVE_LIMIT
    if kind == TRANSFER_OUT:
        to = words[base + J_RELATED_USER]
        if to < 1 or to == words[base + J_USER]:
            return MALFORMED
    if _takes(kind):
        at = probe(t.transactions, words[base + J_ID])
        if t.transactions[at, X_ID] != 0 and t.transactions[at, X_JOURNALED] != 0:
            return DUPLICATE
    return DONE


@inner
def _judged_by_transaction(t: Tables, words: Words, base: int) -> int:
    related = words[base + J_RELATED]
    if related == 0:
        return UNKNOWN_TRANSACTION
    kind = words[base] & 0xFF
    ended = WITHDRAWAL if kind in (WITHDRAWAL_CONFIRMED, WITHDRAWAL_REFUSED) else TRANSFER_OUT
    at = probe(t.transactions, related)
    rows = t.transactions
    if (
        rows[at, X_ID] == 0
        or rows[at, X_JOURNALED] == 0
        or rows[at, X_USER] != words[base + J_USER]
        or rows[at, X_KIND] != ended
    ):
        return UNKNOWN_TRANSACTION
    return DONE


@inlined
def _transact(t: Tables, words: Words, base: int, amount: int, journaled: int) -> None:
    at = probe(t.transactions, words[base + J_ID])
    t.transactions[at, X_ID] = words[base + J_ID]
    t.transactions[at, X_KIND] = words[base] & 0xFF
    t.transactions[at, X_JOURNALED] = journaled
    t.transactions[at, X_USER] = words[base + J_USER]
    t.transactions[at, X_ASSET] = words[base + J_ASSET]
    t.transactions[at, X_AMOUNT] = amount
    t.transactions[at, X_RELATED_USER] = words[base + J_RELATED_USER]
    t.state[S_TRANSACTIONS] += 1


@inlined
def _move(t: Tables, user: int, asset: int, available: int, held: int) -> None:
    at = balance_of(t, user, asset)
    t.balances[at, B_AVAILABLE] += available
    t.balances[at, B_HELD] += held


@inlined
def retract(t: Tables, record_id: int) -> None:
    """Give back what was admitted under an id and is not in the journal."""
    if record_id == 0:
        return
    at = probe(t.transactions, record_id)
    if t.transactions[at, X_ID] != 0 and t.transactions[at, X_JOURNALED] == 0:
        _give_back(t, at)


@inner
def _give_back(t: Tables, at: int) -> None:
    amount = t.transactions[at, X_AMOUNT]
    _move(t, t.transactions[at, X_USER], t.transactions[at, X_ASSET], amount, -amount)
    vacate(t.transactions, at)
    t.state[S_TRANSACTIONS] -= 1


@inner
def _is_empty(t: Tables, user: int) -> bool:
    for at in range(t.balances.shape[0]):
        if t.balances[at, B_USER] == user and (
            t.balances[at, B_AVAILABLE] != 0 or t.balances[at, B_HELD] != 0
        ):
            return False
    for at in range(t.orders.shape[0]):
        if t.orders[at, O_ID] != 0 and t.orders[at, O_USER] == user:
            return False
    for at in range(t.transactions.shape[0]):
        if t.transactions[at, X_ID] != 0 and t.transactions[at, X_USER] == user:
            return False
    return True


@inlined
def _known(t: Tables, words: Words, base: int, results: Words, at: int) -> int:
    """Write what is known of a record before its kind is looked at; return DONE, or the outcome."""
    for word in range(RESULT_WORDS):
        results[at, word] = 0
    results[at, R_ID] = words[base + J_ID]
    if words[base] & 0xFF == FENCE:
        return DONE
    if words[base + J_GENERATION] < t.state[S_GENERATION]:
        return IS_FENCED
    kind = words[base] & 0xFF
    if not OPEN <= kind <= TRANSFER_CLOSED or words[base + J_ID] < 1:
        return MALFORMED
    if kind == TRANSFER_IN:
        return known_arrival(t, words, base)
    row = remembered(t, words, base)
    if row == NONE:
        return DONE
    if not says_the_same(t, row, words, base):
        return KEY_REUSED
    results[at, R_ID] = t.keys[row, K_ID]
    return t.keys[row, K_OUTCOME] | 1 << REPEATED_SHIFT


@inlined
def _tell(words: Words, base: int, outcome: int, available: int, results: Words, at: int) -> None:
    results[at, 0] = outcome
    if outcome >> REPEATED_SHIFT == 0 and _is_of_amount(words[base] & 0xFF):
        results[at, R_ASSET] = words[base + J_ASSET]
        if outcome in (DONE, INSUFFICIENT):
            results[at, R_NEEDED] = _taken(words, base)
        results[at, R_AVAILABLE] = available


@inner
def admit(t: Tables, words: Words, base: int, results: Words, at: int) -> None:
    """Judge a record before it is written, hold what it takes, and write its result."""
    outcome, available = _known(t, words, base, results, at), 0
    if outcome == DONE and words[base] & 0xFF != FENCE:
        outcome = _judged(t, words, base)
    user = words[base + J_USER]
    if words[base] & 0xFF == TRANSFER_IN and outcome in (UNKNOWN_ACCOUNT, IS_CLOSED):
        # Refused for good only where it is read: the sender must hear the same ever after.
        outcome = DONE if owns(t, user) else outcome
    if outcome == DONE and words[base] & 0xFF == CLOSE and not _is_empty(t, user):
        outcome = NOT_EMPTY
    taken = _taken(words, base)
    if outcome == DONE and taken != 0:
        row = probe(t.transactions, words[base + J_ID])
        if t.transactions[row, X_ID] != 0:
            outcome = DUPLICATE
        else:
            available = available_of(t, user, words[base + J_ASSET])
            if taken > available:
                outcome = INSUFFICIENT
            else:
                _move(t, user, words[base + J_ASSET], -taken, taken)
                _transact(t, words, base, taken, 0)
    _tell(words, base, outcome, available, results, at)


@inner
def apply(t: Tables, offset: int, words: Words, base: int, results: Words, at: int) -> None:
    """Apply a record that lies at an offset of the journal, and write its result."""
    retract(t, words[base + J_ID])
    outcome = _known(t, words, base, results, at)
    if outcome == DONE and words[base] & 0xFF == FENCE:
        t.state[S_GENERATION] = offset + 1
        _retract_all(t)
    elif outcome == DONE:
        outcome = _judged(t, words, base)
        if outcome == DONE:
            _do(t, offset, words, base)
        if owns(t, words[base + J_USER]):
            if words[base] & 0xFF == TRANSFER_IN and outcome != MALFORMED:
                keep_arrival(t, words, base, outcome)
            elif has_key(words, base):
                remember(t, words, base, outcome)
    _tell(words, base, outcome, 0, results, at)


@inlined
def _retract_all(t: Tables) -> None:
    at = 0
    while at < t.transactions.shape[0]:
        if t.transactions[at, X_ID] != 0 and t.transactions[at, X_JOURNALED] == 0:
            # Another row may have come to this place.
            _give_back(t, index(at))
        else:
            at += 1


@inner
def _do(t: Tables, offset: int, words: Words, base: int) -> None:
    kind, user = words[base] & 0xFF, words[base + J_USER]
    if kind == TRANSFER_CLOSED:
        close_arrivals(t, words, base)
        return
    asset, amount = words[base + J_ASSET], words[base + J_AMOUNT]
    account = account_of(t, user)
    t.accounts[account, A_SEQUENCE] += 1
    if _is_of_amount(kind):
        # The assets that have sums are those in which a balance is looked for.
        total_of(t, asset)
    if kind in (OPEN, FEE_TIER):
        t.accounts[account, A_TIER] = (words[base] >> J_TIER_SHIFT) & 0xFF
    if kind in (OPEN, UNFREEZE):
        t.accounts[account, A_STATUS] = ACTIVE
    elif kind == FREEZE:
        t.accounts[account, A_STATUS] = FROZEN
    elif kind == CLOSE:
        t.accounts[account, A_STATUS] = CLOSED
    elif kind in (DEPOSIT, ADJUSTMENT):
        _move(t, user, asset, amount, 0)
        t.totals[total_of(t, asset), T_SUPPLY] += amount
    elif kind == TRANSFER_IN:
        _move(t, user, asset, amount, 0)
        t.totals[total_of(t, asset), T_TRANSIT] -= amount
    elif kind == WITHDRAWAL:
        _move(t, user, asset, -amount, amount)
        _transact(t, words, base, amount, offset + 1)
    elif kind == TRANSFER_OUT:
        _move(t, user, asset, -amount, 0)
        t.totals[total_of(t, asset), T_TRANSIT] += amount
        _transact(t, words, base, amount, offset + 1)
    elif _is_end(kind):
        _end(t, kind, words[base + J_RELATED])


@inlined
def _end(t: Tables, kind: int, transaction_id: int) -> None:
    at = probe(t.transactions, transaction_id)
    user, asset = t.transactions[at, X_USER], t.transactions[at, X_ASSET]
    amount = t.transactions[at, X_AMOUNT]
    if kind == WITHDRAWAL_CONFIRMED:
        _move(t, user, asset, 0, -amount)
        t.totals[total_of(t, asset), T_SUPPLY] -= amount
    elif kind == WITHDRAWAL_REFUSED:
        _move(t, user, asset, amount, -amount)
    elif kind == TRANSFER_REFUSED:
        _move(t, user, asset, amount, 0)
        t.totals[total_of(t, asset), T_TRANSIT] -= amount
    vacate(t.transactions, at)
    t.state[S_TRANSACTIONS] -= 1
