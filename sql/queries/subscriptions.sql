-- The row is locked until the transaction ends; SQLite has one writer anyway.
-- name: subscription_lock
-- row: subscription
-- params: id text, livemode int
-- columns: id text, livemode int, user text, customer text, status text, plan text, price text
-- columns: product text, currency text, interval text, interval_count int, amount int, quantity int
-- columns: created_at int, current_period_start int, current_period_end int, trial_start int
-- columns: trial_end int, cancel_at int, cancel_at_period_end int, canceled_at int, ended_at int
-- columns: past_due_since int, pause_collection text, latest_invoice text, event_created int
-- columns: event_id text, source text, updated_at int, disputed int
-- dialect: default
SELECT id, livemode, user_name, customer, status, plan, price, product, currency, billing_interval,
       interval_count, amount, quantity, created_at, current_period_start, current_period_end,
       trial_start, trial_end, cancel_at, cancel_at_period_end, canceled_at, ended_at,
       past_due_since, pause_collection, latest_invoice, event_created, event_id, source, updated_at,
       disputed
  FROM subscription WHERE id = :id AND livemode = :livemode FOR UPDATE
-- dialect: sqlite3
SELECT id, livemode, user_name, customer, status, plan, price, product, currency, billing_interval,
       interval_count, amount, quantity, created_at, current_period_start, current_period_end,
       trial_start, trial_end, cancel_at, cancel_at_period_end, canceled_at, ended_at,
       past_due_since, pause_collection, latest_invoice, event_created, event_id, source, updated_at,
       disputed
  FROM subscription WHERE id = :id AND livemode = :livemode

-- name: subscription_by_id
-- row: subscription
-- params: id text, livemode int
-- columns: id text, livemode int, user text, customer text, status text, plan text, price text
-- columns: product text, currency text, interval text, interval_count int, amount int, quantity int
-- columns: created_at int, current_period_start int, current_period_end int, trial_start int
-- columns: trial_end int, cancel_at int, cancel_at_period_end int, canceled_at int, ended_at int
-- columns: past_due_since int, pause_collection text, latest_invoice text, event_created int
-- columns: event_id text, source text, updated_at int, disputed int
SELECT id, livemode, user_name, customer, status, plan, price, product, currency, billing_interval,
       interval_count, amount, quantity, created_at, current_period_start, current_period_end,
       trial_start, trial_end, cancel_at, cancel_at_period_end, canceled_at, ended_at,
       past_due_since, pause_collection, latest_invoice, event_created, event_id, source, updated_at,
       disputed
  FROM subscription WHERE id = :id AND livemode = :livemode

-- name: subscription_by_user
-- row: subscription
-- params: user text, livemode int
-- columns: id text, livemode int, user text, customer text, status text, plan text, price text
-- columns: product text, currency text, interval text, interval_count int, amount int, quantity int
-- columns: created_at int, current_period_start int, current_period_end int, trial_start int
-- columns: trial_end int, cancel_at int, cancel_at_period_end int, canceled_at int, ended_at int
-- columns: past_due_since int, pause_collection text, latest_invoice text, event_created int
-- columns: event_id text, source text, updated_at int, disputed int
SELECT id, livemode, user_name, customer, status, plan, price, product, currency, billing_interval,
       interval_count, amount, quantity, created_at, current_period_start, current_period_end,
       trial_start, trial_end, cancel_at, cancel_at_period_end, canceled_at, ended_at,
       past_due_since, pause_collection, latest_invoice, event_created, event_id, source, updated_at,
       disputed
  FROM subscription WHERE user_name = :user AND livemode = :livemode
 ORDER BY created_at DESC, id DESC

-- A NULL user keeps the stored one.
-- name: subscription_save
-- params: id text, livemode int, user text, customer text, status text, plan text, price text
-- params: product text, currency text, interval text, interval_count int, amount int, quantity int
-- params: created_at int, current_period_start int, current_period_end int, trial_start int
-- params: trial_end int, cancel_at int, cancel_at_period_end int, canceled_at int, ended_at int
-- params: past_due_since int, pause_collection text, latest_invoice text, event_created int
-- params: event_id text, source text, updated_at int
-- dialect: default
INSERT INTO subscription (id, livemode, user_name, customer, status, plan, price, product, currency,
        billing_interval, interval_count, amount, quantity, created_at, current_period_start,
        current_period_end, trial_start, trial_end, cancel_at, cancel_at_period_end, canceled_at,
        ended_at, past_due_since, pause_collection, latest_invoice, event_created, event_id, source,
        updated_at)
VALUES (:id, :livemode, :user, :customer, :status, :plan, :price, :product, :currency, :interval,
        :interval_count, :amount, :quantity, :created_at, :current_period_start,
        :current_period_end, :trial_start, :trial_end, :cancel_at, :cancel_at_period_end,
        :canceled_at, :ended_at, :past_due_since, :pause_collection, :latest_invoice,
        :event_created, :event_id, :source, :updated_at)
ON CONFLICT (id, livemode) DO UPDATE
   SET user_name = COALESCE(excluded.user_name, subscription.user_name),
       customer = excluded.customer, status = excluded.status, plan = excluded.plan,
       price = excluded.price, product = excluded.product, currency = excluded.currency,
       billing_interval = excluded.billing_interval, interval_count = excluded.interval_count,
       amount = excluded.amount, quantity = excluded.quantity, created_at = excluded.created_at,
       current_period_start = excluded.current_period_start,
       current_period_end = excluded.current_period_end, trial_start = excluded.trial_start,
       trial_end = excluded.trial_end, cancel_at = excluded.cancel_at,
       cancel_at_period_end = excluded.cancel_at_period_end, canceled_at = excluded.canceled_at,
       ended_at = excluded.ended_at, past_due_since = excluded.past_due_since,
       pause_collection = excluded.pause_collection, latest_invoice = excluded.latest_invoice,
       event_created = excluded.event_created, event_id = excluded.event_id,
       source = excluded.source, updated_at = excluded.updated_at
-- dialect: mysql
INSERT INTO subscription (id, livemode, user_name, customer, status, plan, price, product, currency,
        billing_interval, interval_count, amount, quantity, created_at, current_period_start,
        current_period_end, trial_start, trial_end, cancel_at, cancel_at_period_end, canceled_at,
        ended_at, past_due_since, pause_collection, latest_invoice, event_created, event_id, source,
        updated_at)
VALUES (:id, :livemode, :user, :customer, :status, :plan, :price, :product, :currency, :interval,
        :interval_count, :amount, :quantity, :created_at, :current_period_start,
        :current_period_end, :trial_start, :trial_end, :cancel_at, :cancel_at_period_end,
        :canceled_at, :ended_at, :past_due_since, :pause_collection, :latest_invoice,
        :event_created, :event_id, :source, :updated_at)
ON DUPLICATE KEY UPDATE
       user_name = COALESCE(VALUES(user_name), user_name), customer = VALUES(customer),
       status = VALUES(status), plan = VALUES(plan), price = VALUES(price),
       product = VALUES(product), currency = VALUES(currency),
       billing_interval = VALUES(billing_interval), interval_count = VALUES(interval_count),
       amount = VALUES(amount), quantity = VALUES(quantity), created_at = VALUES(created_at),
       current_period_start = VALUES(current_period_start),
       current_period_end = VALUES(current_period_end), trial_start = VALUES(trial_start),
       trial_end = VALUES(trial_end), cancel_at = VALUES(cancel_at),
       cancel_at_period_end = VALUES(cancel_at_period_end), canceled_at = VALUES(canceled_at),
       ended_at = VALUES(ended_at), past_due_since = VALUES(past_due_since),
       pause_collection = VALUES(pause_collection), latest_invoice = VALUES(latest_invoice),
       event_created = VALUES(event_created), event_id = VALUES(event_id), source = VALUES(source),
       updated_at = VALUES(updated_at)

-- name: subscription_set_disputed
-- params: id text, livemode int, disputed int
UPDATE subscription SET disputed = :disputed WHERE id = :id AND livemode = :livemode

-- name: subscription_by_customer
-- row: name
-- params: customer text, livemode int
-- columns: name text
SELECT id FROM subscription WHERE customer = :customer AND livemode = :livemode ORDER BY id

-- name: subscription_item_list
-- params: subscription text, livemode int
-- columns: id text, price text, product text, currency text, interval text, interval_count int
-- columns: amount int, quantity int, period_start int, period_end int, lookup_key text
-- columns: remembered text
SELECT i.id, i.price, i.product, i.currency, i.billing_interval, i.interval_count, i.amount,
       i.quantity, i.period_start, i.period_end, p.lookup_key, COALESCE(p.plan, d.plan)
  FROM subscription_item i
  LEFT JOIN price p ON p.id = i.price AND p.livemode = i.livemode
  LEFT JOIN product d ON d.id = i.product AND d.livemode = i.livemode
 WHERE i.subscription = :subscription AND i.livemode = :livemode
 ORDER BY i.position, i.id

-- Items of all subscriptions of a user, to be sorted to their subscriptions by the reader.
-- name: subscription_item_by_user
-- params: user text, livemode int
-- columns: subscription text, id text, price text, product text, currency text, interval text
-- columns: interval_count int, amount int, quantity int, period_start int, period_end int
-- columns: lookup_key text, remembered text
SELECT i.subscription, i.id, i.price, i.product, i.currency, i.billing_interval, i.interval_count,
       i.amount, i.quantity, i.period_start, i.period_end, p.lookup_key, COALESCE(p.plan, d.plan)
  FROM subscription s
  JOIN subscription_item i ON i.subscription = s.id AND i.livemode = s.livemode
  LEFT JOIN price p ON p.id = i.price AND p.livemode = i.livemode
  LEFT JOIN product d ON d.id = i.product AND d.livemode = i.livemode
 WHERE s.user_name = :user AND s.livemode = :livemode
 ORDER BY i.position, i.id

-- name: subscription_item_clear
-- params: subscription text, livemode int
DELETE FROM subscription_item WHERE subscription = :subscription AND livemode = :livemode

-- name: subscription_item_insert
-- params: id text, livemode int, subscription text, position int, price text, product text
-- params: currency text, interval text, interval_count int, amount int, quantity int
-- params: period_start int, period_end int
INSERT INTO subscription_item (id, livemode, subscription, position, price, product, currency,
        billing_interval, interval_count, amount, quantity, period_start, period_end)
VALUES (:id, :livemode, :subscription, :position, :price, :product, :currency,
        :interval, :interval_count, :amount, :quantity, :period_start, :period_end)

-- The one select of a gate that knows nothing yet: no row = no such account; a row whose id is NULL =
-- an account without subscriptions.
-- A row for each thing that may open something: every item of every subscription, with what is known
-- of its price. The leading item is the one whose price the subscription's own row names. now is the
-- database's clock: what has ended by it is over, whatever the host's says.
-- name: snapshot
-- params: user text, livemode int
-- columns: id text, plan text, status text, price text, product text, currency text
-- columns: interval text, amount int, quantity int, current_period_start int
-- columns: current_period_end int, trial_end int, cancel_at int, ended_at int
-- columns: past_due_since int, cancel_at_period_end int, pause_collection text
-- columns: leading int, lookup_key text, remembered text, disputed int, item_end int, now int
-- columns: entitlements text
-- dialect: sqlite3
SELECT s.id, s.plan, s.status, COALESCE(i.price, s.price), COALESCE(i.product, s.product),
       s.currency, s.billing_interval, s.amount, s.quantity, s.current_period_start,
       s.current_period_end, s.trial_end, s.cancel_at, s.ended_at, s.past_due_since,
       s.cancel_at_period_end, s.pause_collection,
       CASE WHEN i.price IS NULL OR i.price = s.price THEN 1 ELSE 0 END, p.lookup_key,
       COALESCE(p.plan, d.plan), s.disputed, i.period_end,
       CAST(strftime('%s', 'now') AS INTEGER),
       (SELECT GROUP_CONCAT(k, CHAR(10)) FROM (SELECT DISTINCT e.lookup_key AS k
          FROM customer c
          JOIN entitlement e ON e.customer = c.id AND e.livemode = c.livemode
         WHERE c.user_name = a.user_name AND c.livemode = :livemode AND c.gone_at = 0 AND c.deleted_at = 0))
  FROM account a
  LEFT JOIN subscription s ON s.user_name = a.user_name AND s.livemode = :livemode
  LEFT JOIN subscription_item i ON i.subscription = s.id AND i.livemode = s.livemode
   AND (i.quantity > 0 OR i.price = s.price)
  LEFT JOIN price p ON p.id = COALESCE(i.price, s.price) AND p.livemode = s.livemode
  LEFT JOIN product d ON d.id = COALESCE(i.product, s.product) AND d.livemode = s.livemode
 WHERE a.user_name = :user
 ORDER BY s.created_at DESC, s.id DESC, i.position, i.id
-- dialect: pgsql
SELECT s.id, s.plan, s.status, COALESCE(i.price, s.price), COALESCE(i.product, s.product),
       s.currency, s.billing_interval, s.amount, s.quantity, s.current_period_start,
       s.current_period_end, s.trial_end, s.cancel_at, s.ended_at, s.past_due_since,
       s.cancel_at_period_end, s.pause_collection,
       CASE WHEN i.price IS NULL OR i.price = s.price THEN 1 ELSE 0 END, p.lookup_key,
       COALESCE(p.plan, d.plan), s.disputed, i.period_end,
       FLOOR(EXTRACT(EPOCH FROM clock_timestamp()))::bigint,
       (SELECT STRING_AGG(DISTINCT e.lookup_key, CHR(10))
          FROM customer c
          JOIN entitlement e ON e.customer = c.id AND e.livemode = c.livemode
         WHERE c.user_name = a.user_name AND c.livemode = :livemode AND c.gone_at = 0 AND c.deleted_at = 0)
  FROM account a
  LEFT JOIN subscription s ON s.user_name = a.user_name AND s.livemode = :livemode
  LEFT JOIN subscription_item i ON i.subscription = s.id AND i.livemode = s.livemode
   AND (i.quantity > 0 OR i.price = s.price)
  LEFT JOIN price p ON p.id = COALESCE(i.price, s.price) AND p.livemode = s.livemode
  LEFT JOIN product d ON d.id = COALESCE(i.product, s.product) AND d.livemode = s.livemode
 WHERE a.user_name = :user
 ORDER BY s.created_at DESC, s.id DESC, i.position, i.id
-- dialect: mysql
SELECT s.id, s.plan, s.status, COALESCE(i.price, s.price), COALESCE(i.product, s.product),
       s.currency, s.billing_interval, s.amount, s.quantity, s.current_period_start,
       s.current_period_end, s.trial_end, s.cancel_at, s.ended_at, s.past_due_since,
       s.cancel_at_period_end, s.pause_collection,
       CASE WHEN i.price IS NULL OR i.price = s.price THEN 1 ELSE 0 END, p.lookup_key,
       COALESCE(p.plan, d.plan), s.disputed, i.period_end,
       UNIX_TIMESTAMP(),
       (SELECT GROUP_CONCAT(DISTINCT e.lookup_key SEPARATOR '\n')
          FROM customer c
          JOIN entitlement e ON e.customer = c.id AND e.livemode = c.livemode
         WHERE c.user_name = a.user_name AND c.livemode = :livemode AND c.gone_at = 0 AND c.deleted_at = 0)
  FROM account a
  LEFT JOIN subscription s ON s.user_name = a.user_name AND s.livemode = :livemode
  LEFT JOIN subscription_item i ON i.subscription = s.id AND i.livemode = s.livemode
   AND (i.quantity > 0 OR i.price = s.price)
  LEFT JOIN price p ON p.id = COALESCE(i.price, s.price) AND p.livemode = s.livemode
  LEFT JOIN product d ON d.id = COALESCE(i.product, s.product) AND d.livemode = s.livemode
 WHERE a.user_name = :user
 ORDER BY s.created_at DESC, s.id DESC, i.position, i.id

-- Those that may still open something, made in this span of time, the newest first; of those made when the
-- newest was, the ones with a smaller id.
-- name: subscription_open_after
-- params: livemode int, oldest int, newest int, below text, limit int
-- columns: id text, created_at int
SELECT id, created_at FROM subscription
 WHERE livemode = :livemode AND status NOT IN ('canceled', 'incomplete_expired')
   AND created_at >= :oldest
   AND (created_at < :newest OR (created_at = :newest AND id < :below))
 ORDER BY created_at DESC, id DESC LIMIT :limit
