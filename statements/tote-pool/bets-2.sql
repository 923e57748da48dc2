-- More bets: the odds of runner 1 fall, those of the others in its race rise.
INSERT INTO tote_win_bets (runner_id, race_id, amount) VALUES (1, 10, 80.0);
INSERT INTO tote_win_bets (runner_id, race_id, amount) VALUES (2, 10, 10.0);
INSERT INTO tote_win_bets (runner_id, race_id, amount) VALUES (5, 20, 10.0);
INSERT INTO tote_win_bets (runner_id, race_id, amount) VALUES (3, 10, 10.0);
