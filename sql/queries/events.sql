-- name: event_by_id
-- row: event
-- params: id text
-- columns: id text, type text, livemode int, api_version text, account text, object_id text
-- columns: created_at int, received_at int, state text, reason text, attempts int, source text
-- columns: lease_until int, arrival int
SELECT id, type, livemode, api_version, account, object_id, created_at, received_at, state, reason,
       attempts, source, lease_until, arrival
  FROM event WHERE id = :id

-- name: event_list
-- row: event
-- params: state text, limit int
-- columns: id text, type text, livemode int, api_version text, account text, object_id text
-- columns: created_at int, received_at int, state text, reason text, attempts int, source text
-- columns: lease_until int, arrival int
SELECT id, type, livemode, api_version, account, object_id, created_at, received_at, state, reason,
       attempts, source, lease_until, arrival
  FROM event WHERE (:state IS NULL OR state = :state)
 ORDER BY received_at DESC, created_at DESC, id DESC LIMIT :limit

-- The next ones in the order they arrived in.
-- name: event_page
-- row: event
-- params: livemode int, received_at int, arrival int, id text, limit int
-- columns: id text, type text, livemode int, api_version text, account text, object_id text
-- columns: created_at int, received_at int, state text, reason text, attempts int, source text
-- columns: lease_until int, arrival int
SELECT id, type, livemode, api_version, account, object_id, created_at, received_at, state, reason,
       attempts, source, lease_until, arrival
  FROM event
 WHERE livemode = :livemode AND received_at >= :received_at
   AND (received_at > :received_at OR arrival > :arrival OR (arrival = :arrival AND id > :id))
 ORDER BY received_at, arrival, id LIMIT :limit

-- A second arrival of the same event inserts nothing; the count of rows tells.
-- name: event_insert
-- params: id text, type text, livemode int, api_version text, account text, object_id text
-- params: created_at int, received_at int, state text, reason text, attempts int, source text
-- params: lease_until int, arrival int
-- dialect: default
INSERT INTO event (id, type, livemode, api_version, account, object_id, created_at, received_at, state,
        reason, attempts, source, lease_until, arrival)
VALUES (:id, :type, :livemode, :api_version, :account, :object_id, :created_at, :received_at, :state,
        :reason, :attempts, :source, :lease_until, :arrival)
ON CONFLICT (id) DO NOTHING
-- dialect: mysql
INSERT INTO event (id, type, livemode, api_version, account, object_id, created_at, received_at, state,
        reason, attempts, source, lease_until, arrival)
VALUES (:id, :type, :livemode, :api_version, :account, :object_id, :created_at, :received_at, :state,
        :reason, :attempts, :source, :lease_until, :arrival)
ON DUPLICATE KEY UPDATE id = VALUES(id)

-- name: event_lock
-- row: event_state
-- params: id text
-- columns: state text
-- dialect: default
SELECT state FROM event WHERE id = :id FOR UPDATE
-- dialect: sqlite3
SELECT state FROM event WHERE id = :id

-- name: event_mark
-- params: id text, state text, reason text
UPDATE event SET state = :state, reason = :reason, attempts = attempts + 1, lease_until = 0
 WHERE id = :id

-- name: event_body_insert
-- params: id text, body text
INSERT INTO event_body (event_id, body) VALUES (:id, :body)

-- start counts from 1: characters on sqlite3 and pgsql, bytes on mysql, whose driver ends a result with a
-- NUL only when its length is known to be short: hence the literal, which events.c calls PIECE.
-- name: event_body_piece
-- row: piece
-- params: id text, start int
-- columns: piece text
-- dialect: default
SELECT SUBSTR(body, :start, 16384) FROM event_body WHERE event_id = :id
-- dialect: pgsql
SELECT SUBSTR(body, :start::int, 16384) FROM event_body WHERE event_id = :id

-- Received, and whoever was to go on with it is gone: its lease is over and no job is about it.
-- name: event_stuck
-- row: name
-- params: livemode int, now int, limit int
-- columns: name text
SELECT e.id
  FROM event e
  LEFT JOIN job j ON j.kind = 'event' AND j.subject = e.id AND j.livemode = e.livemode
 WHERE e.state = 'received' AND e.livemode = :livemode AND e.lease_until <= :now AND j.id IS NULL
 ORDER BY e.received_at LIMIT :limit

-- The last delivery of this source since then; the time bounds what is looked at.
-- name: event_heard
-- params: source text, livemode int, since int
-- columns: received_at int
SELECT received_at FROM event
 WHERE received_at >= :since AND source = :source AND livemode = :livemode
 ORDER BY received_at DESC LIMIT 1

-- How far back what is stored goes.
-- name: event_first
-- params: livemode int
-- columns: created_at int
SELECT created_at FROM event WHERE livemode = :livemode ORDER BY received_at LIMIT 1

-- How much the tables hold that are made of events.
-- name: event_projected
-- params: livemode int
-- columns: name text, n int
SELECT 'customer', COUNT(*) FROM customer WHERE livemode = :livemode
UNION ALL SELECT 'subscription', COUNT(*) FROM subscription WHERE livemode = :livemode
UNION ALL SELECT 'price', COUNT(*) FROM price WHERE livemode = :livemode
UNION ALL SELECT 'product', COUNT(*) FROM product WHERE livemode = :livemode
UNION ALL SELECT 'invoice', COUNT(*) FROM invoice WHERE livemode = :livemode
UNION ALL SELECT 'payment', COUNT(*) FROM payment WHERE livemode = :livemode
UNION ALL SELECT 'trial', COUNT(*) FROM trial WHERE livemode = :livemode
UNION ALL SELECT 'purchase', COUNT(*) FROM purchase WHERE livemode = :livemode
