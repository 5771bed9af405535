-- Licensed under the Apache License, Version 2.0; see LICENSE.
-- Accounts user0 … user(total - 1), each with a customer and a running subscription of one item, as
-- webhooks leave them, and a tenth as many, gone0 …, whose subscription has ended. psql knows :total.
INSERT INTO price (id, livemode, product, currency, amount, billing_interval, interval_count, active,
        source)
VALUES ('price_1SbBasicMonthEUR0000001', 0, 'prod_TBasicPlan0001', 'eur', 900, 'month', 1, 1, 'webhook')
ON CONFLICT DO NOTHING;
INSERT INTO product (id, livemode, name, active, source)
VALUES ('prod_TBasicPlan0001', 0, 'Basic', 1, 'webhook')
ON CONFLICT DO NOTHING;

CREATE TEMPORARY TABLE filling AS
SELECT 'user' || i AS name, 'active' AS status, EXTRACT(EPOCH FROM now())::bigint + 2592000 AS period_end
  FROM generate_series(0, :total - 1) AS i
 UNION ALL
SELECT 'gone' || i, 'canceled', EXTRACT(EPOCH FROM now())::bigint - 2592000
  FROM generate_series(0, :total / 10 - 1) AS i;

INSERT INTO account (user_name, created_at) SELECT name, 1700000000 FROM filling;
INSERT INTO customer (id, livemode, user_name, source, created_at)
SELECT 'cus_T' || name, 0, name, 'webhook', 1700000000 FROM filling;
INSERT INTO subscription (id, livemode, user_name, customer, status, plan, price, product, currency,
        billing_interval, interval_count, amount, quantity, created_at, current_period_start,
        current_period_end, canceled_at, ended_at, event_created, event_id, source, updated_at)
SELECT 'sub_1Bench' || name, 0, name, 'cus_T' || name, status, 'basic', 'price_1SbBasicMonthEUR0000001',
       'prod_TBasicPlan0001', 'eur', 'month', 1, 900, 1, 1700000000, period_end - 2592000, period_end,
       CASE WHEN status = 'active' THEN 0 ELSE period_end END,
       CASE WHEN status = 'active' THEN 0 ELSE period_end END, 1700000000, 'evt_1Bench' || name, 'webhook',
       1700000000
  FROM filling;
INSERT INTO subscription_item (id, livemode, subscription, position, price, product, currency,
        billing_interval, interval_count, amount, quantity, period_start, period_end)
SELECT 'si_T' || name, 0, 'sub_1Bench' || name, 0, 'price_1SbBasicMonthEUR0000001', 'prod_TBasicPlan0001',
       'eur', 'month', 1, 900, 1, period_end - 2592000, period_end
  FROM filling;
DROP TABLE filling;
VACUUM ANALYZE account, customer, subscription, subscription_item, price, product;
