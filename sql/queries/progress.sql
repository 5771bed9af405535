-- name: progress_get
-- row: progress
-- params: name text, livemode int
-- columns: value text, reached_at int
SELECT value, reached_at FROM progress WHERE name = :name AND livemode = :livemode

-- name: progress_set
-- params: name text, livemode int, value text, reached_at int
-- dialect: default
INSERT INTO progress (name, livemode, value, reached_at)
VALUES (:name, :livemode, :value, :reached_at)
ON CONFLICT (name, livemode) DO UPDATE SET value = excluded.value, reached_at = excluded.reached_at
-- dialect: mysql
INSERT INTO progress (name, livemode, value, reached_at)
VALUES (:name, :livemode, :value, :reached_at)
ON DUPLICATE KEY UPDATE value = VALUES(value), reached_at = VALUES(reached_at)
