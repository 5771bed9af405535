-- name: customer_by_id
-- row: customer
-- params: id text, livemode int
-- columns: id text, livemode int, user text, source text, created_at int, deleted_at int
SELECT id, livemode, user_name, source, created_at, deleted_at
  FROM customer WHERE id = :id AND livemode = :livemode

-- name: customer_by_user
-- row: customer
-- params: user text, livemode int
-- columns: id text, livemode int, user text, source text, created_at int, deleted_at int
SELECT id, livemode, user_name, source, created_at, deleted_at
  FROM customer WHERE user_name = :user AND livemode = :livemode AND deleted_at = 0

-- name: customer_save
-- params: id text, livemode int, user text, source text, now int
-- dialect: default
INSERT INTO customer (id, livemode, user_name, source, created_at, deleted_at)
VALUES (:id, :livemode, :user, :source, :now, 0)
ON CONFLICT (id, livemode) DO UPDATE
   SET user_name = excluded.user_name, source = excluded.source, deleted_at = 0
-- dialect: mysql
INSERT INTO customer (id, livemode, user_name, source, created_at, deleted_at)
VALUES (:id, :livemode, :user, :source, :now, 0)
ON DUPLICATE KEY UPDATE user_name = VALUES(user_name), source = VALUES(source), deleted_at = 0

-- name: customer_mark_deleted
-- params: id text, livemode int, now int
UPDATE customer SET deleted_at = :now WHERE id = :id AND livemode = :livemode AND deleted_at = 0

-- name: customer_release
-- params: id text, livemode int
UPDATE customer SET user_name = NULL WHERE id = :id AND livemode = :livemode

-- Two bindings of one user at once take turns here.
-- name: account_lock
-- row: name
-- params: user text
-- columns: name text
-- dialect: default
SELECT user_name FROM account WHERE user_name = :user FOR UPDATE
-- dialect: sqlite3
SELECT user_name FROM account WHERE user_name = :user

-- name: customer_adopt_subscriptions
-- params: user text, customer text, livemode int
UPDATE subscription SET user_name = :user WHERE customer = :customer AND livemode = :livemode

-- name: customer_adopt_invoices
-- params: user text, customer text, livemode int
UPDATE invoice SET user_name = :user WHERE customer = :customer AND livemode = :livemode

-- name: customer_adopt_payments
-- params: user text, customer text, livemode int
UPDATE payment SET user_name = :user WHERE customer = :customer AND livemode = :livemode

-- name: link_audit_insert
-- params: id text, user text, customer text, livemode int, what text, who text, now int
INSERT INTO link_audit (id, user_name, customer, livemode, what, who, changed_at)
VALUES (:id, :user, :customer, :livemode, :what, :who, :now)
