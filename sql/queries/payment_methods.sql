-- name: payment_method_lock
-- row: payment_method
-- params: id text, livemode int
-- columns: id text, livemode int, customer text, type text, brand text, last4 text
-- columns: exp_month int, exp_year int, created_at int, detached_at int, told_at int
-- columns: source text
-- dialect: default
SELECT id, livemode, customer, type, brand, last4, exp_month, exp_year, created_at,
       detached_at, told_at, source
  FROM payment_method WHERE id = :id AND livemode = :livemode FOR UPDATE
-- dialect: sqlite3
SELECT id, livemode, customer, type, brand, last4, exp_month, exp_year, created_at,
       detached_at, told_at, source
  FROM payment_method WHERE id = :id AND livemode = :livemode

-- name: payment_method_save
-- params: id text, livemode int, customer text, type text, brand text, last4 text
-- params: exp_month int, exp_year int, created_at int, detached_at int, told_at int
-- params: source text
-- dialect: default
INSERT INTO payment_method (id, livemode, customer, type, brand, last4, exp_month, exp_year, created_at,
        detached_at, told_at, source)
VALUES (:id, :livemode, :customer, :type, :brand, :last4, :exp_month, :exp_year,
        :created_at, :detached_at, :told_at, :source)
ON CONFLICT (id, livemode) DO UPDATE
   SET customer = COALESCE(excluded.customer, payment_method.customer),
       type = excluded.type, brand = excluded.brand, last4 = excluded.last4,
       exp_month = excluded.exp_month, exp_year = excluded.exp_year,
       created_at = excluded.created_at, detached_at = excluded.detached_at,
       told_at = excluded.told_at, source = excluded.source
-- dialect: mysql
INSERT INTO payment_method (id, livemode, customer, type, brand, last4, exp_month, exp_year, created_at,
        detached_at, told_at, source)
VALUES (:id, :livemode, :customer, :type, :brand, :last4, :exp_month, :exp_year,
        :created_at, :detached_at, :told_at, :source)
ON DUPLICATE KEY UPDATE
       customer = COALESCE(VALUES(customer), customer), type = VALUES(type),
       brand = VALUES(brand), last4 = VALUES(last4), exp_month = VALUES(exp_month),
       exp_year = VALUES(exp_year), created_at = VALUES(created_at),
       detached_at = VALUES(detached_at), told_at = VALUES(told_at),
       source = VALUES(source)
