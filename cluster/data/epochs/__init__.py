"""Which log the data belong to: recognised at every start, changed only by an operator's word."""
