"""The one way to send many small requests to another process and to have each answered."""
