-- A user's fills, newest first, whichever side of the trade was theirs.
CREATE INDEX trades_by_maker ON trades (maker_user_id, time_us, market_id, trade_id);
CREATE INDEX trades_by_taker ON trades (taker_user_id, time_us, market_id, trade_id);
