"""The Postgres writer: events of the log become rows that people ask about afterwards."""
