-- name: trial_by_user
-- params: user text, livemode int
-- columns: user text, livemode int, used_at int, plan text, subscription text, source text
SELECT user_name, livemode, used_at, plan, subscription, source
  FROM trial WHERE user_name = :user AND livemode = :livemode

-- The first mark stays for ever.
-- name: trial_insert
-- params: user text, livemode int, used_at int, plan text, subscription text, source text
-- dialect: default
INSERT INTO trial (user_name, livemode, used_at, plan, subscription, source)
VALUES (:user, :livemode, :used_at, :plan, :subscription, :source)
ON CONFLICT (user_name, livemode) DO NOTHING
-- dialect: mysql
INSERT INTO trial (user_name, livemode, used_at, plan, subscription, source)
VALUES (:user, :livemode, :used_at, :plan, :subscription, :source)
ON DUPLICATE KEY UPDATE user_name = VALUES(user_name)
