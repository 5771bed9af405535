-- name: customer_by_id
-- row: customer
-- params: id text, livemode int
-- columns: id text, livemode int, user text, source text, created_at int, deleted_at int
-- columns: told_at int, gone_at int, entitlements_at int
SELECT id, livemode, user_name, source, created_at, deleted_at, told_at, gone_at, entitlements_at
  FROM customer WHERE id = :id AND livemode = :livemode

-- name: customer_by_user
-- row: customer
-- params: user text, livemode int
-- columns: id text, livemode int, user text, source text, created_at int, deleted_at int
-- columns: told_at int, gone_at int, entitlements_at int
SELECT id, livemode, user_name, source, created_at, deleted_at, told_at, gone_at, entitlements_at
  FROM customer WHERE user_name = :user AND livemode = :livemode AND deleted_at = 0

-- A row to lock, bound to nobody yet.
-- name: customer_ensure
-- params: id text, livemode int, source text, now int
-- dialect: default
INSERT INTO customer (id, livemode, source, created_at) VALUES (:id, :livemode, :source, :now)
ON CONFLICT (id, livemode) DO NOTHING
-- dialect: mysql
INSERT INTO customer (id, livemode, source, created_at) VALUES (:id, :livemode, :source, :now)
ON DUPLICATE KEY UPDATE id = VALUES(id)

-- Two users who claim one customer at once take turns here.
-- name: customer_lock
-- row: customer
-- params: id text, livemode int
-- columns: id text, livemode int, user text, source text, created_at int, deleted_at int
-- columns: told_at int, gone_at int, entitlements_at int
-- dialect: default
SELECT id, livemode, user_name, source, created_at, deleted_at, told_at, gone_at, entitlements_at
  FROM customer WHERE id = :id AND livemode = :livemode FOR UPDATE
-- dialect: sqlite3
SELECT id, livemode, user_name, source, created_at, deleted_at, told_at, gone_at, entitlements_at
  FROM customer WHERE id = :id AND livemode = :livemode

-- name: customer_tie
-- params: id text, livemode int, user text, source text
UPDATE customer SET user_name = :user, source = :source, deleted_at = 0
 WHERE id = :id AND livemode = :livemode

-- Whose it was; it stays dead.
-- name: customer_bury
-- params: id text, livemode int, user text, source text
UPDATE customer SET user_name = :user, source = :source
 WHERE id = :id AND livemode = :livemode

-- The operator's word: it lives again.
-- name: customer_revive
-- params: id text, livemode int
UPDATE customer SET gone_at = 0 WHERE id = :id AND livemode = :livemode

-- name: customer_gone
-- params: id text, livemode int, at int
UPDATE customer SET gone_at = :at, deleted_at = :at WHERE id = :id AND livemode = :livemode

-- name: customer_tell
-- params: id text, livemode int, email text, name text, payment_method text, told_at int
UPDATE customer
   SET email = :email, name = :name, payment_method = :payment_method, told_at = :told_at
 WHERE id = :id AND livemode = :livemode

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
