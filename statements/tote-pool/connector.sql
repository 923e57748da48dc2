-- Keeps the bets and their odds in Postgres. ${postgres} is a JDBC URL:
--   sluice ... -d postgres='jdbc:postgresql://127.0.0.1:5432/tote' -f connector.sql
-- What it must not take for a variable of its own, the connector's ${topic}, is written $${topic}.
CREATE SINK CONNECTOR tote_pool WITH (
  'connector.class'   = 'io.confluent.connect.jdbc.JdbcSinkConnector',
  'connection.url'    = '${postgres}',
  'connection.user'   = '${user}',
  'connection.password' = '${password}',
  'topics'            = 'tote_win_bets,tote_win_bet_race_runners_odds',
  'table.name.format' = '$${topic}',
  'insert.mode'       = 'insert',
  'auto.create'       = 'true',
  'auto.evolve'       = 'true'
);
