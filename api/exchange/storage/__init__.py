"""What people ask about afterwards: orders, trades and users, read from Postgres."""
