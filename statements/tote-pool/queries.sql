-- The pools of each runner and of each race, and with every bet the odds that it makes.
SET 'auto.offset.reset' = 'earliest';

CREATE STREAM tote_win_bets_by_runner AS
  SELECT * FROM tote_win_bets PARTITION BY runner_id;
CREATE STREAM tote_win_bets_by_race AS
  SELECT * FROM tote_win_bets PARTITION BY race_id;

CREATE TABLE tote_win_bet_runner_pools AS
  SELECT runner_id, SUM(amount) AS pool FROM tote_win_bets_by_runner GROUP BY runner_id;
CREATE TABLE tote_win_bet_race_pools AS
  SELECT race_id, SUM(amount) AS pool FROM tote_win_bets_by_race GROUP BY race_id;

-- Both pools derive from the bets: a bet is joined with them once they have it. The race is the
-- key of what is joined last; AS_VALUE puts it among the values, which is what a connector writes.
CREATE STREAM tote_win_bet_race_runners_odds
  WITH (KAFKA_TOPIC = 'tote_win_bet_race_runners_odds') AS
  SELECT bet.race_id AS race_key,
         AS_VALUE(bet.race_id) AS race_id,
         bet.runner_id AS runner_id,
         runner.pool AS runner_pool,
         race.pool AS race_pool,
         CASE WHEN runner.pool = 0 THEN 0e0 ELSE race.pool / runner.pool END AS odds
  FROM tote_win_bets bet
  JOIN tote_win_bet_runner_pools runner ON bet.runner_id = runner.runner_id
  JOIN tote_win_bet_race_pools race ON bet.race_id = race.race_id;
