-- name: payment_by_id
-- row: payment
-- params: id text, livemode int
-- columns: id text, livemode int, kind text, user text, customer text, invoice text, currency text
-- columns: amount int, status text, created_at int, source text
SELECT id, livemode, kind, user_name, customer, invoice, currency, amount, status, created_at,
       source
  FROM payment WHERE id = :id AND livemode = :livemode

-- Succeeded is final: a late "failed" of the same payment changes nothing.
-- name: payment_save
-- params: id text, livemode int, kind text, user text, customer text, invoice text
-- params: currency text, amount int, status text, created_at int, source text
-- dialect: default
INSERT INTO payment (id, livemode, kind, user_name, customer, invoice, currency, amount, status,
        created_at, source)
VALUES (:id, :livemode, :kind, :user, :customer, :invoice, :currency, :amount, :status,
        :created_at, :source)
ON CONFLICT (id, livemode) DO UPDATE
   SET user_name = COALESCE(excluded.user_name, payment.user_name),
       customer = COALESCE(excluded.customer, payment.customer),
       invoice = COALESCE(excluded.invoice, payment.invoice), amount = excluded.amount,
       status = excluded.status, source = excluded.source
 WHERE payment.status <> 'succeeded'
-- dialect: mysql
INSERT INTO payment (id, livemode, kind, user_name, customer, invoice, currency, amount, status,
        created_at, source)
VALUES (:id, :livemode, :kind, :user, :customer, :invoice, :currency, :amount, :status,
        :created_at, :source)
ON DUPLICATE KEY UPDATE
       user_name = IF(status = 'succeeded', user_name, COALESCE(VALUES(user_name), user_name)),
       customer = IF(status = 'succeeded', customer, COALESCE(VALUES(customer), customer)),
       invoice = IF(status = 'succeeded', invoice, COALESCE(VALUES(invoice), invoice)),
       amount = IF(status = 'succeeded', amount, VALUES(amount)),
       source = IF(status = 'succeeded', source, VALUES(source)),
       status = IF(status = 'succeeded', status, VALUES(status))
