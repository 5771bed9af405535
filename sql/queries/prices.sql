-- name: price_by_id
-- row: price
-- params: id text, livemode int
-- columns: id text, livemode int, product text, plan text, currency text, amount int, interval text
-- columns: interval_count int, active int, lookup_key text, source text, updated_at int
SELECT id, livemode, product, plan, currency, amount, billing_interval, interval_count, active,
       lookup_key, source, updated_at
  FROM price WHERE id = :id AND livemode = :livemode

-- The row is locked until the transaction ends; SQLite has one writer anyway.
-- name: price_lock
-- row: price
-- params: id text, livemode int
-- columns: id text, livemode int, product text, plan text, currency text, amount int, interval text
-- columns: interval_count int, active int, lookup_key text, source text, updated_at int
-- dialect: default
SELECT id, livemode, product, plan, currency, amount, billing_interval, interval_count, active,
       lookup_key, source, updated_at
  FROM price WHERE id = :id AND livemode = :livemode FOR UPDATE
-- dialect: sqlite3
SELECT id, livemode, product, plan, currency, amount, billing_interval, interval_count, active,
       lookup_key, source, updated_at
  FROM price WHERE id = :id AND livemode = :livemode

-- name: price_save
-- params: id text, livemode int, product text, plan text, currency text, amount int, interval text
-- params: interval_count int, active int, lookup_key text, source text, updated_at int
-- dialect: default
INSERT INTO price (id, livemode, product, plan, currency, amount, billing_interval, interval_count,
        active, lookup_key, source, updated_at)
VALUES (:id, :livemode, :product, :plan, :currency, :amount, :interval, :interval_count, :active,
        :lookup_key, :source, :updated_at)
ON CONFLICT (id, livemode) DO UPDATE
   SET product = COALESCE(excluded.product, price.product),
       plan = COALESCE(excluded.plan, price.plan), currency = excluded.currency,
       amount = excluded.amount, billing_interval = excluded.billing_interval,
       interval_count = excluded.interval_count, active = excluded.active,
       lookup_key = COALESCE(excluded.lookup_key, price.lookup_key), source = excluded.source,
       updated_at = excluded.updated_at
-- dialect: mysql
INSERT INTO price (id, livemode, product, plan, currency, amount, billing_interval, interval_count,
        active, lookup_key, source, updated_at)
VALUES (:id, :livemode, :product, :plan, :currency, :amount, :interval, :interval_count, :active,
        :lookup_key, :source, :updated_at)
ON DUPLICATE KEY UPDATE
       product = COALESCE(VALUES(product), product), plan = COALESCE(VALUES(plan), plan),
       currency = VALUES(currency), amount = VALUES(amount),
       billing_interval = VALUES(billing_interval), interval_count = VALUES(interval_count),
       active = VALUES(active), lookup_key = COALESCE(VALUES(lookup_key), lookup_key),
       source = VALUES(source), updated_at = VALUES(updated_at)

-- name: product_by_id
-- row: product
-- params: id text, livemode int
-- columns: id text, livemode int, name text, plan text, active int, source text, updated_at int
SELECT id, livemode, name, plan, active, source, updated_at
  FROM product WHERE id = :id AND livemode = :livemode

-- name: product_lock
-- row: product
-- params: id text, livemode int
-- columns: id text, livemode int, name text, plan text, active int, source text, updated_at int
-- dialect: default
SELECT id, livemode, name, plan, active, source, updated_at
  FROM product WHERE id = :id AND livemode = :livemode FOR UPDATE
-- dialect: sqlite3
SELECT id, livemode, name, plan, active, source, updated_at
  FROM product WHERE id = :id AND livemode = :livemode

-- name: product_save
-- params: id text, livemode int, name text, plan text, active int, source text, updated_at int
-- dialect: default
INSERT INTO product (id, livemode, name, plan, active, source, updated_at)
VALUES (:id, :livemode, :name, :plan, :active, :source, :updated_at)
ON CONFLICT (id, livemode) DO UPDATE
   SET name = excluded.name, plan = COALESCE(excluded.plan, product.plan), active = excluded.active,
       source = excluded.source, updated_at = excluded.updated_at
-- dialect: mysql
INSERT INTO product (id, livemode, name, plan, active, source, updated_at)
VALUES (:id, :livemode, :name, :plan, :active, :source, :updated_at)
ON DUPLICATE KEY UPDATE
       name = VALUES(name), plan = COALESCE(VALUES(plan), plan), active = VALUES(active),
       source = VALUES(source), updated_at = VALUES(updated_at)

