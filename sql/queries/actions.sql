-- How many of a subscription's actions came to an end. It is part of the next one's id, so that the same
-- wish after other wishes is another call.
-- name: action_count
-- params: subscription text, livemode int
-- columns: n int
SELECT COUNT(*) FROM user_action
 WHERE subscription = :subscription AND livemode = :livemode AND state <> 'open'

-- name: action_last
-- params: subscription text, livemode int
-- columns: id text, user text, kind text, wish text, state text, code text, created_at int, ended_at int
SELECT id, user_name, kind, wish, state, code, created_at, ended_at
  FROM user_action WHERE subscription = :subscription AND livemode = :livemode
 ORDER BY number DESC, created_at DESC, id LIMIT 1

-- name: action_insert
-- params: id text, livemode int, user text, subscription text, kind text, wish text, number int, now int
-- dialect: default
INSERT INTO user_action (id, livemode, user_name, subscription, kind, wish, number, state, created_at, ended_at)
VALUES (:id, :livemode, :user, :subscription, :kind, :wish, :number, 'open', :now, 0)
ON CONFLICT (id) DO NOTHING
-- dialect: mysql
INSERT INTO user_action (id, livemode, user_name, subscription, kind, wish, number, state, created_at, ended_at)
VALUES (:id, :livemode, :user, :subscription, :kind, :wish, :number, 'open', :now, 0)
ON DUPLICATE KEY UPDATE id = VALUES(id)

-- name: action_end
-- params: id text, state text, code text, now int
UPDATE user_action SET state = :state, code = :code, ended_at = :now WHERE id = :id AND state = 'open'
