"""Adapters to Kafka: the log of commands, the events' topics and those who follow them."""
