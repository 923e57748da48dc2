-- What the bets have made of the odds so far.
SELECT race_id, runner_id, runner_pool, race_pool, odds
  FROM tote_win_bet_race_runners_odds EMIT CHANGES;
