-- The first bets: runners 1 to 3 run in race 10, runners 4 and 5 in race 20.
INSERT INTO tote_win_bets (runner_id, race_id, amount) VALUES (1, 10, 20.0);
INSERT INTO tote_win_bets (runner_id, race_id, amount) VALUES (2, 10, 40.0);
INSERT INTO tote_win_bets (runner_id, race_id, amount) VALUES (4, 20, 10.0);
INSERT INTO tote_win_bets (runner_id, race_id, amount) VALUES (3, 10, 40.0);
INSERT INTO tote_win_bets (runner_id, race_id, amount) VALUES (5, 20, 0.0);
