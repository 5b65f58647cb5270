"""Composition root: settings, supervisor, embedded servers and the command line."""
