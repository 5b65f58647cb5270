"""Epochs: which log the data belong to, seen at every start, changed only by an operator."""
