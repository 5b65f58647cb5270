-- The same view, with a name for every reason.
CREATE OR REPLACE VIEW orders_readable AS
SELECT o.order_id, nullif(o.client_order_id, '') AS client_order_id, o.user_id, m.pair,
       CASE o.side WHEN 1 THEN 'BUY' WHEN 2 THEN 'SELL' END AS side,
       CASE o.order_type WHEN 1 THEN 'LIMIT' WHEN 2 THEN 'MARKET' END AS order_type,
       CASE o.time_in_force WHEN 1 THEN 'GTC' WHEN 2 THEN 'IOC' WHEN 3 THEN 'FOK'
            WHEN 4 THEN 'GTD' END AS time_in_force,
       CASE o.self_trade_prevention WHEN 0 THEN 'NONE' WHEN 1 THEN 'EXPIRE_TAKER'
            WHEN 2 THEN 'EXPIRE_MAKER' WHEN 3 THEN 'EXPIRE_BOTH' WHEN 4 THEN 'DECREMENT'
            END AS self_trade_prevention,
       o.flags & 1 = 1 AS post_only,
       CASE o.status WHEN 1 THEN 'OPEN' WHEN 2 THEN 'PARTIALLY_FILLED' WHEN 3 THEN 'FILLED'
            WHEN 4 THEN 'CANCELLED' WHEN 5 THEN 'REJECTED' WHEN 6 THEN 'EXPIRED' END AS status,
       CASE o.reason WHEN 0 THEN NULL
            WHEN 101 THEN 'MALFORMED' WHEN 102 THEN 'NOT_POSITIVE' WHEN 103 THEN 'OFF_TICK'
            WHEN 104 THEN 'OFF_LOT' WHEN 105 THEN 'BELOW_MINIMUM_NOTIONAL'
            WHEN 106 THEN 'ABOVE_MAXIMUM' WHEN 107 THEN 'EXPIRED'
            WHEN 108 THEN 'DUPLICATE_ORDER_ID' WHEN 109 THEN 'DUPLICATE_CLIENT_ORDER_ID'
            WHEN 110 THEN 'QUANTITY_BELOW_FILLED' WHEN 201 THEN 'UNKNOWN_MARKET'
            WHEN 202 THEN 'HALTED' WHEN 301 THEN 'WOULD_CROSS' WHEN 302 THEN 'NOT_ENOUGH_TO_FILL'
            WHEN 303 THEN 'UNKNOWN_ORDER' WHEN 304 THEN 'NOT_OWNER' WHEN 305 THEN 'FENCED'
            WHEN 401 THEN 'CANCELLED_BY_USER' WHEN 402 THEN 'UNFILLED_REMAINDER'
            WHEN 403 THEN 'NO_LIQUIDITY' WHEN 404 THEN 'PROTECTION_PRICE'
            WHEN 405 THEN 'SELF_TRADE' WHEN 406 THEN 'TIME_EXPIRED'
            WHEN 407 THEN 'LOST_WITH_LOG' WHEN 408 THEN 'BUDGET_SPENT'
            ELSE o.reason::text END AS reason,
       nullif(o.price_ticks, 0) * m.tick_size AS price, o.quantity_lots * m.lot_size AS quantity,
       o.filled_lots * m.lot_size AS filled_quantity,
       o.notional * m.tick_size / nullif(o.filled_lots, 0) AS average_price,
       nullif(o.quote_units, 0) * m.tick_size * m.lot_size AS quote_quantity,
       to_timestamp(nullif(o.expires_us, 0) / 1e6) AS expires_at,
       to_timestamp(o.created_us / 1e6) AS created_at,
       to_timestamp(o.updated_us / 1e6) AS updated_at,
       o.sequence, nullif(o.related_order_id, 0) AS related_order_id
FROM orders o JOIN markets m USING (market_id);
