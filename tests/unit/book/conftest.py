"""The books under test: the naive one and the compiled one answer the same tests."""

import pytest

from actors.book.compiled import CompiledBook
from actors.book.market import Market
from actors.book.naive import NaiveBook
from tests.unit.book.desk import Desk, market

BOOKS = [NaiveBook, CompiledBook]


@pytest.fixture(params=BOOKS)
def book_type(request: pytest.FixtureRequest) -> type[NaiveBook | CompiledBook]:
    implementation: type[NaiveBook | CompiledBook] = request.param
    return implementation


@pytest.fixture
def desk(book_type: type[NaiveBook | CompiledBook]) -> Desk:
    return Desk(book_type(market()))


@pytest.fixture
def wide_market() -> Market:
    """A market with room for thousands of orders a side."""
    return market(max_price_ticks=10**9, max_quantity_lots=10**9)
