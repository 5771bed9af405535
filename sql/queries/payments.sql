-- name: payment_by_id
-- row: payment
-- params: id text, livemode int
-- columns: id text, livemode int, kind text, user text, customer text, invoice text
-- columns: currency text, amount int, status text, created_at int, source text, charge text
-- columns: refunded int, failure_code text, failure_message text, told_at int, intent_at int
-- columns: charge_at int, charge_refunded int
SELECT id, livemode, kind, user_name, customer, invoice, currency, amount, status, created_at,
       source, charge, refunded, failure_code, failure_message, told_at, intent_at, charge_at,
       charge_refunded
  FROM payment WHERE id = :id AND livemode = :livemode

-- name: payment_lock
-- row: payment
-- params: id text, livemode int
-- columns: id text, livemode int, kind text, user text, customer text, invoice text
-- columns: currency text, amount int, status text, created_at int, source text, charge text
-- columns: refunded int, failure_code text, failure_message text, told_at int, intent_at int
-- columns: charge_at int, charge_refunded int
-- dialect: default
SELECT id, livemode, kind, user_name, customer, invoice, currency, amount, status, created_at,
       source, charge, refunded, failure_code, failure_message, told_at, intent_at, charge_at,
       charge_refunded
  FROM payment WHERE id = :id AND livemode = :livemode FOR UPDATE
-- dialect: sqlite3
SELECT id, livemode, kind, user_name, customer, invoice, currency, amount, status, created_at,
       source, charge, refunded, failure_code, failure_message, told_at, intent_at, charge_at,
       charge_refunded
  FROM payment WHERE id = :id AND livemode = :livemode

-- What is stored and what is new were put together before, under payment_lock.
-- name: payment_save
-- params: id text, livemode int, kind text, user text, customer text, invoice text
-- params: currency text, amount int, status text, created_at int, source text, charge text
-- params: refunded int, failure_code text, failure_message text, told_at int, intent_at int
-- params: charge_at int, charge_refunded int
-- dialect: default
INSERT INTO payment (id, livemode, kind, user_name, customer, invoice, currency, amount, status,
        created_at, source, charge, refunded, failure_code, failure_message, told_at,
        intent_at, charge_at, charge_refunded)
VALUES (:id, :livemode, :kind, :user, :customer, :invoice, :currency, :amount, :status,
        :created_at, :source, :charge, :refunded, :failure_code, :failure_message,
        :told_at, :intent_at, :charge_at, :charge_refunded)
ON CONFLICT (id, livemode) DO UPDATE
   SET kind = excluded.kind, user_name = COALESCE(excluded.user_name, payment.user_name),
       customer = COALESCE(excluded.customer, payment.customer),
       invoice = COALESCE(excluded.invoice, payment.invoice), currency = excluded.currency,
       amount = excluded.amount, status = excluded.status,
       created_at = excluded.created_at, source = excluded.source,
       charge = excluded.charge, refunded = excluded.refunded,
       failure_code = excluded.failure_code, failure_message = excluded.failure_message,
       told_at = excluded.told_at, intent_at = excluded.intent_at,
       charge_at = excluded.charge_at, charge_refunded = excluded.charge_refunded
-- dialect: mysql
INSERT INTO payment (id, livemode, kind, user_name, customer, invoice, currency, amount, status,
        created_at, source, charge, refunded, failure_code, failure_message, told_at,
        intent_at, charge_at, charge_refunded)
VALUES (:id, :livemode, :kind, :user, :customer, :invoice, :currency, :amount, :status,
        :created_at, :source, :charge, :refunded, :failure_code, :failure_message,
        :told_at, :intent_at, :charge_at, :charge_refunded)
ON DUPLICATE KEY UPDATE
       kind = VALUES(kind), user_name = COALESCE(VALUES(user_name), user_name),
       customer = COALESCE(VALUES(customer), customer),
       invoice = COALESCE(VALUES(invoice), invoice), currency = VALUES(currency),
       amount = VALUES(amount), status = VALUES(status), created_at = VALUES(created_at),
       source = VALUES(source), charge = VALUES(charge), refunded = VALUES(refunded),
       failure_code = VALUES(failure_code), failure_message = VALUES(failure_message),
       told_at = VALUES(told_at), intent_at = VALUES(intent_at),
       charge_at = VALUES(charge_at), charge_refunded = VALUES(charge_refunded)
