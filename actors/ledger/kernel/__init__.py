"""The ledger's arrays and what is compiled to work on them."""
