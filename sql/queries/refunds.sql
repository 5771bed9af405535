-- name: refund_lock
-- row: refund
-- params: id text, livemode int
-- columns: id text, livemode int, payment text, charge text, currency text, amount int
-- columns: status text, reason text, failure_reason text, created_at int, told_at int
-- columns: source text
-- dialect: default
SELECT id, livemode, payment, charge, currency, amount, status, reason, failure_reason,
       created_at, told_at, source
  FROM refund WHERE id = :id AND livemode = :livemode FOR UPDATE
-- dialect: sqlite3
SELECT id, livemode, payment, charge, currency, amount, status, reason, failure_reason,
       created_at, told_at, source
  FROM refund WHERE id = :id AND livemode = :livemode

-- name: refund_by_payment
-- row: refund
-- params: payment text, livemode int
-- columns: id text, livemode int, payment text, charge text, currency text, amount int
-- columns: status text, reason text, failure_reason text, created_at int, told_at int
-- columns: source text
SELECT id, livemode, payment, charge, currency, amount, status, reason, failure_reason,
       created_at, told_at, source
  FROM refund WHERE payment = :payment AND livemode = :livemode

-- name: refund_save
-- params: id text, livemode int, payment text, charge text, currency text, amount int
-- params: status text, reason text, failure_reason text, created_at int, told_at int
-- params: source text
-- dialect: default
INSERT INTO refund (id, livemode, payment, charge, currency, amount, status, reason,
        failure_reason, created_at, told_at, source)
VALUES (:id, :livemode, :payment, :charge, :currency, :amount, :status, :reason,
        :failure_reason, :created_at, :told_at, :source)
ON CONFLICT (id, livemode) DO UPDATE
   SET payment = COALESCE(excluded.payment, refund.payment),
       charge = COALESCE(excluded.charge, refund.charge), currency = excluded.currency,
       amount = excluded.amount, status = excluded.status, reason = excluded.reason,
       failure_reason = excluded.failure_reason, created_at = excluded.created_at,
       told_at = excluded.told_at, source = excluded.source
-- dialect: mysql
INSERT INTO refund (id, livemode, payment, charge, currency, amount, status, reason,
        failure_reason, created_at, told_at, source)
VALUES (:id, :livemode, :payment, :charge, :currency, :amount, :status, :reason,
        :failure_reason, :created_at, :told_at, :source)
ON DUPLICATE KEY UPDATE
       payment = COALESCE(VALUES(payment), payment),
       charge = COALESCE(VALUES(charge), charge), currency = VALUES(currency),
       amount = VALUES(amount), status = VALUES(status), reason = VALUES(reason),
       failure_reason = VALUES(failure_reason), created_at = VALUES(created_at),
       told_at = VALUES(told_at), source = VALUES(source)
