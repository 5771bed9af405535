-- name: dispute_lock
-- row: dispute
-- params: id text, livemode int
-- columns: id text, livemode int, payment text, charge text, currency text, amount int
-- columns: status text, reason text, created_at int, told_at int, source text
-- dialect: default
SELECT id, livemode, payment, charge, currency, amount, status, reason, created_at, told_at,
       source
  FROM dispute WHERE id = :id AND livemode = :livemode FOR UPDATE
-- dialect: sqlite3
SELECT id, livemode, payment, charge, currency, amount, status, reason, created_at, told_at,
       source
  FROM dispute WHERE id = :id AND livemode = :livemode

-- name: dispute_by_id
-- row: dispute
-- params: id text, livemode int
-- columns: id text, livemode int, payment text, charge text, currency text, amount int
-- columns: status text, reason text, created_at int, told_at int, source text
SELECT id, livemode, payment, charge, currency, amount, status, reason, created_at, told_at,
       source
  FROM dispute WHERE id = :id AND livemode = :livemode

-- name: dispute_by_payment
-- row: dispute
-- params: payment text, livemode int
-- columns: id text, livemode int, payment text, charge text, currency text, amount int
-- columns: status text, reason text, created_at int, told_at int, source text
SELECT id, livemode, payment, charge, currency, amount, status, reason, created_at, told_at,
       source
  FROM dispute WHERE payment = :payment AND livemode = :livemode ORDER BY id

-- Those under way, by their ids from the next one on.
-- name: dispute_open
-- row: dispute
-- params: livemode int, after text, limit int
-- columns: id text, livemode int, payment text, charge text, currency text, amount int
-- columns: status text, reason text, created_at int, told_at int, source text
SELECT id, livemode, payment, charge, currency, amount, status, reason, created_at, told_at,
       source
  FROM dispute
 WHERE livemode = :livemode AND id > :after
   AND status NOT IN ('won', 'lost', 'warning_closed', 'prevented')
 ORDER BY id LIMIT :limit

-- Disputed payments that this invoice was paid with.
-- name: dispute_by_invoice
-- params: invoice text, livemode int
-- columns: payment text
SELECT DISTINCT l.payment
  FROM invoice_payment l
  JOIN dispute d ON d.payment = l.payment AND d.livemode = l.livemode
 WHERE l.invoice = :invoice AND l.livemode = :livemode

-- How many disputes close a subscription: those under way and those lost.
-- name: dispute_count
-- params: subscription text, livemode int
-- columns: n int
SELECT COUNT(*)
  FROM invoice i
  JOIN invoice_payment l ON l.invoice = i.id AND l.livemode = i.livemode
  JOIN dispute d ON d.payment = l.payment AND d.livemode = l.livemode
 WHERE i.subscription = :subscription AND i.livemode = :livemode
   AND d.status NOT IN ('won', 'warning_closed', 'prevented')

-- What a payment paid for, as far as it is known: known is 0 where the invoice, held where the
-- subscription has no row yet.
-- name: dispute_chain
-- row: dispute_chain
-- params: payment text, livemode int
-- columns: invoice text, known int, subscription text, held int
SELECT l.invoice, CASE WHEN i.id IS NULL THEN 0 ELSE 1 END, i.subscription,
       CASE WHEN s.id IS NULL THEN 0 ELSE 1 END
  FROM invoice_payment l
  LEFT JOIN invoice i ON i.id = l.invoice AND i.livemode = l.livemode
  LEFT JOIN subscription s ON s.id = i.subscription AND s.livemode = i.livemode
 WHERE l.payment = :payment AND l.livemode = :livemode
 ORDER BY l.invoice

-- name: dispute_save
-- params: id text, livemode int, payment text, charge text, currency text, amount int
-- params: status text, reason text, created_at int, told_at int, source text
-- dialect: default
INSERT INTO dispute (id, livemode, payment, charge, currency, amount, status, reason, created_at,
        told_at, source)
VALUES (:id, :livemode, :payment, :charge, :currency, :amount, :status, :reason,
        :created_at, :told_at, :source)
ON CONFLICT (id, livemode) DO UPDATE
   SET payment = COALESCE(excluded.payment, dispute.payment),
       charge = COALESCE(excluded.charge, dispute.charge), currency = excluded.currency,
       amount = excluded.amount, status = excluded.status, reason = excluded.reason,
       created_at = excluded.created_at, told_at = excluded.told_at,
       source = excluded.source
-- dialect: mysql
INSERT INTO dispute (id, livemode, payment, charge, currency, amount, status, reason, created_at,
        told_at, source)
VALUES (:id, :livemode, :payment, :charge, :currency, :amount, :status, :reason,
        :created_at, :told_at, :source)
ON DUPLICATE KEY UPDATE
       payment = COALESCE(VALUES(payment), payment),
       charge = COALESCE(VALUES(charge), charge), currency = VALUES(currency),
       amount = VALUES(amount), status = VALUES(status), reason = VALUES(reason),
       created_at = VALUES(created_at), told_at = VALUES(told_at), source = VALUES(source)
