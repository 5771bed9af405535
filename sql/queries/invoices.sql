-- name: invoice_by_id
-- row: invoice
-- params: id text, livemode int
-- columns: id text, livemode int, customer text, subscription text, user text, status text
-- columns: currency text, amount_due int, amount_paid int, hosted_url text, pdf_url text
-- columns: number text, billing_reason text, created_at int, paid_at int, period_start int
-- columns: period_end int, attempt_count int, next_payment_attempt int, event_created int
-- columns: source text
SELECT id, livemode, customer, subscription, user_name, status, currency, amount_due, amount_paid,
       hosted_url, pdf_url, number, billing_reason, created_at, paid_at, period_start, period_end,
       attempt_count, next_payment_attempt, event_created, source
  FROM invoice WHERE id = :id AND livemode = :livemode

-- name: invoice_by_user
-- row: invoice
-- params: user text, livemode int, limit int
-- columns: id text, livemode int, customer text, subscription text, user text, status text
-- columns: currency text, amount_due int, amount_paid int, hosted_url text, pdf_url text
-- columns: number text, billing_reason text, created_at int, paid_at int, period_start int
-- columns: period_end int, attempt_count int, next_payment_attempt int, event_created int
-- columns: source text
SELECT id, livemode, customer, subscription, user_name, status, currency, amount_due, amount_paid,
       hosted_url, pdf_url, number, billing_reason, created_at, paid_at, period_start, period_end,
       attempt_count, next_payment_attempt, event_created, source
  FROM invoice WHERE user_name = :user AND livemode = :livemode AND status <> 'draft'
 ORDER BY created_at DESC, id DESC LIMIT :limit

-- name: invoice_unpaid
-- row: invoice
-- params: user text, livemode int, limit int
-- columns: id text, livemode int, customer text, subscription text, user text, status text
-- columns: currency text, amount_due int, amount_paid int, hosted_url text, pdf_url text
-- columns: number text, billing_reason text, created_at int, paid_at int, period_start int
-- columns: period_end int, attempt_count int, next_payment_attempt int, event_created int
-- columns: source text
SELECT id, livemode, customer, subscription, user_name, status, currency, amount_due, amount_paid,
       hosted_url, pdf_url, number, billing_reason, created_at, paid_at, period_start, period_end,
       attempt_count, next_payment_attempt, event_created, source
  FROM invoice WHERE user_name = :user AND livemode = :livemode AND status = 'open' AND attempt_count > 0
 ORDER BY created_at DESC, id DESC LIMIT :limit

-- name: invoice_save
-- params: id text, livemode int, customer text, subscription text, user text, status text
-- params: currency text, amount_due int, amount_paid int, hosted_url text, pdf_url text
-- params: number text, billing_reason text, created_at int, paid_at int, period_start int
-- params: period_end int, attempt_count int, next_payment_attempt int, event_created int
-- params: source text
-- dialect: default
INSERT INTO invoice (id, livemode, customer, subscription, user_name, status, currency, amount_due,
        amount_paid, hosted_url, pdf_url, number, billing_reason, created_at, paid_at, period_start,
        period_end, attempt_count, next_payment_attempt, event_created, source)
VALUES (:id, :livemode, :customer, :subscription, :user, :status, :currency, :amount_due,
        :amount_paid, :hosted_url, :pdf_url, :number, :billing_reason, :created_at, :paid_at,
        :period_start, :period_end, :attempt_count, :next_payment_attempt, :event_created, :source)
ON CONFLICT (id, livemode) DO UPDATE
   SET customer = COALESCE(excluded.customer, invoice.customer),
       subscription = COALESCE(excluded.subscription, invoice.subscription),
       user_name = COALESCE(excluded.user_name, invoice.user_name), status = excluded.status,
       currency = excluded.currency, amount_due = excluded.amount_due,
       amount_paid = excluded.amount_paid,
       hosted_url = COALESCE(excluded.hosted_url, invoice.hosted_url),
       pdf_url = COALESCE(excluded.pdf_url, invoice.pdf_url),
       number = COALESCE(excluded.number, invoice.number), billing_reason = excluded.billing_reason,
       created_at = excluded.created_at, paid_at = excluded.paid_at,
       period_start = excluded.period_start, period_end = excluded.period_end,
       attempt_count = excluded.attempt_count, next_payment_attempt = excluded.next_payment_attempt,
       event_created = excluded.event_created, source = excluded.source
-- dialect: mysql
INSERT INTO invoice (id, livemode, customer, subscription, user_name, status, currency, amount_due,
        amount_paid, hosted_url, pdf_url, number, billing_reason, created_at, paid_at, period_start,
        period_end, attempt_count, next_payment_attempt, event_created, source)
VALUES (:id, :livemode, :customer, :subscription, :user, :status, :currency, :amount_due,
        :amount_paid, :hosted_url, :pdf_url, :number, :billing_reason, :created_at, :paid_at,
        :period_start, :period_end, :attempt_count, :next_payment_attempt, :event_created, :source)
ON DUPLICATE KEY UPDATE
       customer = COALESCE(VALUES(customer), customer),
       subscription = COALESCE(VALUES(subscription), subscription),
       user_name = COALESCE(VALUES(user_name), user_name), status = VALUES(status),
       currency = VALUES(currency), amount_due = VALUES(amount_due),
       amount_paid = VALUES(amount_paid), hosted_url = COALESCE(VALUES(hosted_url), hosted_url),
       pdf_url = COALESCE(VALUES(pdf_url), pdf_url), number = COALESCE(VALUES(number), number),
       billing_reason = VALUES(billing_reason), created_at = VALUES(created_at),
       paid_at = VALUES(paid_at), period_start = VALUES(period_start),
       period_end = VALUES(period_end), attempt_count = VALUES(attempt_count),
       next_payment_attempt = VALUES(next_payment_attempt), event_created = VALUES(event_created),
       source = VALUES(source)

-- name: invoice_told
-- params: id text, livemode int
-- columns: status text, event_created int, attempt_count int
-- dialect: default
SELECT status, event_created, attempt_count
  FROM invoice WHERE id = :id AND livemode = :livemode FOR UPDATE
-- dialect: sqlite3
SELECT status, event_created, attempt_count
  FROM invoice WHERE id = :id AND livemode = :livemode
