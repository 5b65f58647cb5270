"""Thin routes: HTTP to services and back."""
