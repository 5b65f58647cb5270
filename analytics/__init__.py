"""Candles, indicators and exports computed with polars from executed trades."""
