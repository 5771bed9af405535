-- What one customer.subscription.updated of a known user costs, statement by statement; the benchmark
-- compares this list with what PostgreSQL counts, so it cannot go stale.
\set u random(0, :users - 1)
\set n random(1, 1000000000000000)
\set slot random(0, 1023)
BEGIN;
INSERT INTO event (id, type, livemode, api_version, account, object_id, created_at, received_at, state,
        reason, attempts, source, lease_until, arrival)
VALUES ('evt_' || :n, 'customer.subscription.updated', 0, '2026-10-28.endive', NULL, 'sub_1Benchuser' || :u, 1793610000, 1793610000, 'done',
        NULL, 1, 'webhook', 0, 123456)
ON CONFLICT (id) DO NOTHING;
INSERT INTO event_body (event_id, body) VALUES ('evt_' || :n, :body);
SELECT id, livemode, user_name, source, created_at, deleted_at, told_at, gone_at, entitlements_at
  FROM customer WHERE id = 'cus_Tuser' || :u AND livemode = 0;
SELECT id, livemode, user_name, customer, status, plan, price, product, currency, billing_interval,
       interval_count, amount, quantity, created_at, current_period_start, current_period_end,
       trial_start, trial_end, cancel_at, cancel_at_period_end, canceled_at, ended_at,
       past_due_since, pause_collection, latest_invoice, event_created, event_id, source, updated_at,
       disputed
  FROM subscription WHERE id = 'sub_1Benchuser' || :u AND livemode = 0 FOR UPDATE;
SELECT id, livemode, user_name, source, created_at, deleted_at, told_at, gone_at, entitlements_at
  FROM customer WHERE id = 'cus_Tuser' || :u AND livemode = 0;
SELECT i.id, i.price, i.product, i.currency, i.billing_interval, i.interval_count, i.amount,
       i.quantity, i.period_start, i.period_end, p.lookup_key, COALESCE(p.plan, d.plan)
  FROM subscription_item i
  LEFT JOIN price p ON p.id = i.price AND p.livemode = i.livemode
  LEFT JOIN product d ON d.id = i.product AND d.livemode = i.livemode
 WHERE i.subscription = 'sub_1Benchuser' || :u AND i.livemode = 0
 ORDER BY i.position, i.id;
SELECT id, livemode, product, plan, currency, amount, billing_interval, interval_count, active,
       lookup_key, source, updated_at
  FROM price WHERE id = 'price_1SbBasicMonthEUR0000001' AND livemode = 0;
INSERT INTO subscription (id, livemode, user_name, customer, status, plan, price, product, currency,
        billing_interval, interval_count, amount, quantity, created_at, current_period_start,
        current_period_end, trial_start, trial_end, cancel_at, cancel_at_period_end, canceled_at,
        ended_at, past_due_since, pause_collection, latest_invoice, event_created, event_id, source,
        updated_at)
VALUES ('sub_1Benchuser' || :u, 0, 'user' || :u, 'cus_Tuser' || :u, 'active', 'basic', 'price_1SbBasicMonthEUR0000001', 'prod_TBasicPlan0001', 'eur', 'month',
        1, 900, 1, 1700000000, 1793610000,
        1796202000, 0, 0, 0, 0, 0,
        0, 0, NULL, NULL,
        1793610000, 'evt_' || :n, 'webhook', 1793610000)
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
       source = excluded.source, updated_at = excluded.updated_at;
DELETE FROM subscription_item WHERE subscription = 'sub_1Benchuser' || :u AND livemode = 0;
INSERT INTO subscription_item (id, livemode, subscription, position, price, product, currency,
        billing_interval, interval_count, amount, quantity, period_start, period_end)
VALUES ('si_Tuser' || :u, 0, 'sub_1Benchuser' || :u, 0, 'price_1SbBasicMonthEUR0000001', 'prod_TBasicPlan0001', 'eur',
        'month', 1, 900, 1, 1793610000, 1796202000);
UPDATE epoch SET v = v + 1 WHERE slot = :slot;
COMMIT;
