"""The one way to find and call an actor."""
