"""What the gateway does, apart from HTTP."""
