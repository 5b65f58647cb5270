"""Sketch of the platform's hops, the least that they can cost: a yardstick, not an exchange.

The same way as the platform's, and the same Kafka: a door that takes JSON and writes records, one
router that reads all partitions and hands ranges to a process a pair over Unix streams, and
publishes what comes back, one reader that tells the client, two slow ones as writer and candles
are. It has no book, no sequence, no recovery, no HAProxy, Socket.IO, Redis or Postgres.
"""
