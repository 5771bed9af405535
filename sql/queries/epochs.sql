-- name: epoch_bump
-- params: slot int
UPDATE epoch SET v = v + 1 WHERE slot = :slot

-- Grows with every change, so that an unchanged sum means that nothing has moved.
-- name: epoch_sum
-- columns: sum int
-- dialect: sqlite3
SELECT COALESCE(SUM(v), 0) FROM epoch
-- dialect: pgsql
SELECT COALESCE(SUM(v), 0)::bigint FROM epoch
-- dialect: mysql
SELECT CAST(COALESCE(SUM(v), 0) AS SIGNED) FROM epoch

-- Another number than the same connection got before: somebody else has committed since. Only SQLite tells.
-- name: data_version
-- columns: version int
-- dialect: default
SELECT 0
-- dialect: sqlite3
PRAGMA data_version

-- name: epoch_list
-- columns: slot int, v int
SELECT slot, v FROM epoch
