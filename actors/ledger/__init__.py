"""Pure core of money: accounts, what an order may cost, how a trade settles, fees."""
