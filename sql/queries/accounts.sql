-- name: account_by_user
-- params: user text
-- columns: user text, email text, created_at int
SELECT user_name, email, created_at FROM account WHERE user_name = :user

-- A NULL email keeps the stored one.
-- name: account_ensure
-- params: user text, email text, now int
-- dialect: default
INSERT INTO account (user_name, email, created_at) VALUES (:user, :email, :now)
ON CONFLICT (user_name) DO UPDATE SET email = COALESCE(excluded.email, account.email)
-- dialect: mysql
INSERT INTO account (user_name, email, created_at) VALUES (:user, :email, :now)
ON DUPLICATE KEY UPDATE email = COALESCE(VALUES(email), email)
