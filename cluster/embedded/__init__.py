"""Real servers as child processes on loopback: Postgres, Valkey and Apache Kafka."""
