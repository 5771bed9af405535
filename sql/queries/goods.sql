-- name: purchase_owned
-- row: number
-- params: user text, sku text, livemode int
-- columns: n int
SELECT COUNT(*) FROM purchase
 WHERE user_name = :user AND sku = :sku AND livemode = :livemode AND state = 'owned'

-- name: purchase_put
-- params: user text, sku text, livemode int, state text, at int
-- dialect: default
INSERT INTO purchase (user_name, sku, livemode, state, changed_at)
VALUES (:user, :sku, :livemode, :state, :at)
ON CONFLICT (user_name, sku, livemode) DO UPDATE SET state = :state, changed_at = :at
-- dialect: mysql
INSERT INTO purchase (user_name, sku, livemode, state, changed_at)
VALUES (:user, :sku, :livemode, :state, :at)
ON DUPLICATE KEY UPDATE state = :state, changed_at = :at

-- name: purchase_list
-- params: user text, livemode int
-- columns: sku text, state text, changed_at int
SELECT sku, state, changed_at FROM purchase
 WHERE user_name = :user AND livemode = :livemode ORDER BY sku

-- name: balance_units
-- row: number
-- params: user text, meter text, livemode int
-- columns: n int
SELECT units FROM balance
 WHERE user_name = :user AND meter = :meter AND livemode = :livemode

-- name: balance_put
-- params: user text, meter text, livemode int, units int, at int
-- dialect: default
INSERT INTO balance (user_name, meter, livemode, units, changed_at)
VALUES (:user, :meter, :livemode, :units, :at)
ON CONFLICT (user_name, meter, livemode) DO UPDATE SET units = :units, changed_at = :at
-- dialect: mysql
INSERT INTO balance (user_name, meter, livemode, units, changed_at)
VALUES (:user, :meter, :livemode, :units, :at)
ON DUPLICATE KEY UPDATE units = :units, changed_at = :at

-- name: balance_list
-- params: user text, livemode int
-- columns: meter text, units int, changed_at int
SELECT meter, units, changed_at FROM balance
 WHERE user_name = :user AND livemode = :livemode ORDER BY meter
