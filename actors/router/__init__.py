"""The order router: from `orders.new` to each pair's actor, and its events back to Kafka."""
