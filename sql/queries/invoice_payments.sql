-- The count of rows tells whether the link was new; Stripe's id comes later where an older event told it.
-- name: invoice_payment_insert
-- params: invoice text, payment text, livemode int, id text, source text
-- dialect: default
INSERT INTO invoice_payment (invoice, payment, livemode, id, source)
VALUES (:invoice, :payment, :livemode, :id, :source)
ON CONFLICT (invoice, payment, livemode) DO NOTHING
-- dialect: mysql
INSERT INTO invoice_payment (invoice, payment, livemode, id, source)
VALUES (:invoice, :payment, :livemode, :id, :source)
ON DUPLICATE KEY UPDATE invoice = VALUES(invoice)

-- name: invoice_payment_name
-- params: invoice text, payment text, livemode int, id text
UPDATE invoice_payment SET id = :id
 WHERE invoice = :invoice AND payment = :payment AND livemode = :livemode AND id IS NULL
