"""What tests stand on: servers, platforms, exchanges in this process."""
