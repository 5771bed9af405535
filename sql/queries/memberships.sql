-- name: membership_by_user
-- params: user text
-- columns: plan text, since int
SELECT plan, since FROM membership WHERE user_name = :user ORDER BY since, plan

-- The first sight counts.
-- name: membership_insert
-- params: user text, plan text, since int
-- dialect: default
INSERT INTO membership (user_name, plan, since) VALUES (:user, :plan, :since)
ON CONFLICT (user_name, plan) DO NOTHING
-- dialect: mysql
INSERT INTO membership (user_name, plan, since) VALUES (:user, :plan, :since)
ON DUPLICATE KEY UPDATE user_name = VALUES(user_name)
