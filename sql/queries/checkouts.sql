-- name: checkout_by_id
-- row: checkout
-- params: id text
-- columns: id text, session text, livemode int, user text, plan text, price text, quantity int
-- columns: mode text, success_url text, cancel_url text, url text, idempotency_key text, state text
-- columns: created_at int, expires_at int, completed_at int, customer text, subscription text
SELECT id, session, livemode, user_name, plan, price, quantity, mode, success_url, cancel_url, url,
       idempotency_key, state, created_at, expires_at, completed_at, customer, subscription
  FROM checkout WHERE id = :id

-- name: checkout_by_session
-- row: checkout
-- params: session text
-- columns: id text, session text, livemode int, user text, plan text, price text, quantity int
-- columns: mode text, success_url text, cancel_url text, url text, idempotency_key text, state text
-- columns: created_at int, expires_at int, completed_at int, customer text, subscription text
SELECT id, session, livemode, user_name, plan, price, quantity, mode, success_url, cancel_url, url,
       idempotency_key, state, created_at, expires_at, completed_at, customer, subscription
  FROM checkout WHERE session = :session

-- Everything else of one user that could still be paid, or is about to get a page to pay on.
-- name: checkout_rivals
-- row: checkout
-- params: id text, user text, livemode int, mode text, now int
-- columns: id text, session text, livemode int, user text, plan text, price text, quantity int
-- columns: mode text, success_url text, cancel_url text, url text, idempotency_key text, state text
-- columns: created_at int, expires_at int, completed_at int, customer text, subscription text
SELECT id, session, livemode, user_name, plan, price, quantity, mode, success_url, cancel_url, url,
       idempotency_key, state, created_at, expires_at, completed_at, customer, subscription
  FROM checkout WHERE user_name = :user AND livemode = :livemode AND state = 'open' AND mode = :mode
   AND id <> :id AND (expires_at = 0 OR expires_at > :now)
 ORDER BY created_at, id LIMIT 100

-- name: checkout_insert
-- params: id text, livemode int, user text, plan text, price text, quantity int, mode text
-- params: success_url text, cancel_url text, idempotency_key text, created_at int
-- params: expires_at int, customer text
INSERT INTO checkout (id, livemode, user_name, plan, price, quantity, mode, success_url, cancel_url,
        idempotency_key, state, created_at, expires_at, completed_at, customer)
VALUES (:id, :livemode, :user, :plan, :price, :quantity, :mode, :success_url, :cancel_url,
        :idempotency_key, 'open', :created_at, :expires_at, 0, :customer)

-- name: checkout_set_session
-- params: id text, session text, url text, customer text, expires_at int
UPDATE checkout
   SET session = :session, url = :url, customer = COALESCE(:customer, customer),
       expires_at = CASE WHEN :expires_at = 0 THEN expires_at ELSE :expires_at END
 WHERE id = :id

-- name: checkout_complete
-- params: id text, customer text, subscription text, now int
UPDATE checkout
   SET state = 'complete', completed_at = :now, customer = COALESCE(:customer, customer),
       subscription = COALESCE(:subscription, subscription)
 WHERE id = :id AND state <> 'complete'

-- name: checkout_close
-- params: id text, state text
UPDATE checkout SET state = :state WHERE id = :id AND state = 'open'
