-- The bets on winners, as they come in. Run, from here, in this order:
--   build/sluice -f sources.sql -f queries.sql -f bets-1.sql -f odds.sql -f bets-2.sql -f odds.sql
CREATE STREAM tote_win_bets (runner_id INT, race_id INT, amount DOUBLE)
  WITH (KAFKA_TOPIC = 'tote_win_bets', VALUE_FORMAT = 'JSON', PARTITIONS = 1);
