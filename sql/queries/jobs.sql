-- Times that decide leases are the database's own: hosts' clocks differ.

-- name: job_due
-- row: job
-- params: livemode int, limit int
-- columns: id text, kind text, subject text, livemode int, state text, run_at int, lease_until int
-- columns: attempts int, version int, payload text, error text, created_at int
-- dialect: sqlite3
SELECT id, kind, subject, livemode, state, run_at, lease_until, attempts, version, payload, error,
       created_at
  FROM job
 WHERE livemode = :livemode AND state = 'waiting' AND run_at <= CAST(strftime('%s', 'now') AS INTEGER)
   AND lease_until <= CAST(strftime('%s', 'now') AS INTEGER)
 ORDER BY run_at, id LIMIT :limit
-- dialect: pgsql
SELECT id, kind, subject, livemode, state, run_at, lease_until, attempts, version, payload, error,
       created_at
  FROM job
 WHERE livemode = :livemode AND state = 'waiting'
   AND run_at <= FLOOR(EXTRACT(EPOCH FROM clock_timestamp()))::bigint
   AND lease_until <= FLOOR(EXTRACT(EPOCH FROM clock_timestamp()))::bigint
 ORDER BY run_at, id LIMIT :limit
-- dialect: mysql
SELECT id, kind, subject, livemode, state, run_at, lease_until, attempts, version, payload, error,
       created_at
  FROM job
 WHERE livemode = :livemode AND state = 'waiting' AND run_at <= UNIX_TIMESTAMP()
   AND lease_until <= UNIX_TIMESTAMP()
 ORDER BY run_at, id LIMIT :limit

-- Of two who want one job, one changes a row.
-- name: job_claim
-- params: id text, holder text, lease int
-- dialect: sqlite3
UPDATE job SET lease_until = CAST(strftime('%s', 'now') AS INTEGER) + :lease, holder = :holder,
       attempts = attempts + 1
 WHERE id = :id AND state = 'waiting' AND lease_until <= CAST(strftime('%s', 'now') AS INTEGER)
   AND run_at <= CAST(strftime('%s', 'now') AS INTEGER)
-- dialect: pgsql
UPDATE job SET lease_until = FLOOR(EXTRACT(EPOCH FROM clock_timestamp()))::bigint + :lease,
       holder = :holder, attempts = attempts + 1
 WHERE id = :id AND state = 'waiting'
   AND lease_until <= FLOOR(EXTRACT(EPOCH FROM clock_timestamp()))::bigint
   AND run_at <= FLOOR(EXTRACT(EPOCH FROM clock_timestamp()))::bigint
-- dialect: mysql
UPDATE job SET lease_until = UNIX_TIMESTAMP() + :lease, holder = :holder, attempts = attempts + 1
 WHERE id = :id AND state = 'waiting' AND lease_until <= UNIX_TIMESTAMP()
   AND run_at <= UNIX_TIMESTAMP()

-- name: job_by_id
-- row: job
-- params: id text
-- columns: id text, kind text, subject text, livemode int, state text, run_at int, lease_until int
-- columns: attempts int, version int, payload text, error text, created_at int
SELECT id, kind, subject, livemode, state, run_at, lease_until, attempts, version, payload, error,
       created_at
  FROM job WHERE id = :id

-- name: job_by_subject
-- row: job
-- params: kind text, subject text, livemode int
-- columns: id text, kind text, subject text, livemode int, state text, run_at int, lease_until int
-- columns: attempts int, version int, payload text, error text, created_at int
SELECT id, kind, subject, livemode, state, run_at, lease_until, attempts, version, payload, error,
       created_at
  FROM job WHERE kind = :kind AND subject = :subject AND livemode = :livemode

-- name: job_list
-- row: job
-- params: livemode int, limit int
-- columns: id text, kind text, subject text, livemode int, state text, run_at int, lease_until int
-- columns: attempts int, version int, payload text, error text, created_at int
SELECT id, kind, subject, livemode, state, run_at, lease_until, attempts, version, payload, error,
       created_at
  FROM job WHERE livemode = :livemode ORDER BY run_at, id LIMIT :limit

-- A second wish for the same thing moves it forward and raises its version, so that whoever is working on
-- the first does not end the second as well.
-- name: job_enqueue
-- params: id text, kind text, subject text, livemode int, delay int, payload text
-- dialect: sqlite3
INSERT INTO job (id, kind, subject, livemode, state, run_at, payload, created_at)
VALUES (:id, :kind, :subject, :livemode, 'waiting',
        CAST(strftime('%s', 'now') AS INTEGER) + :delay, :payload,
        CAST(strftime('%s', 'now') AS INTEGER))
ON CONFLICT (kind, subject, livemode) DO UPDATE
   SET run_at = CASE WHEN job.state = 'parked' THEN excluded.run_at
                     ELSE MIN(job.run_at, excluded.run_at) END,
       attempts = CASE WHEN job.state = 'parked' THEN 0 ELSE job.attempts END,
       payload = excluded.payload, version = job.version + 1, state = 'waiting'
-- dialect: pgsql
INSERT INTO job (id, kind, subject, livemode, state, run_at, payload, created_at)
VALUES (:id, :kind, :subject, :livemode, 'waiting',
        FLOOR(EXTRACT(EPOCH FROM clock_timestamp()))::bigint + :delay, :payload,
        FLOOR(EXTRACT(EPOCH FROM clock_timestamp()))::bigint)
ON CONFLICT (kind, subject, livemode) DO UPDATE
   SET run_at = CASE WHEN job.state = 'parked' THEN excluded.run_at
                     ELSE LEAST(job.run_at, excluded.run_at) END,
       attempts = CASE WHEN job.state = 'parked' THEN 0 ELSE job.attempts END,
       payload = excluded.payload, version = job.version + 1, state = 'waiting'
-- dialect: mysql
INSERT INTO job (id, kind, subject, livemode, state, run_at, payload, created_at)
VALUES (:id, :kind, :subject, :livemode, 'waiting', UNIX_TIMESTAMP() + :delay, :payload,
        UNIX_TIMESTAMP())
ON DUPLICATE KEY UPDATE
       run_at = IF(state = 'parked', VALUES(run_at), LEAST(run_at, VALUES(run_at))),
       attempts = IF(state = 'parked', 0, attempts),
       payload = VALUES(payload), version = version + 1, state = 'waiting'

-- The holder ends what he claimed, unless somebody has wished for it again meanwhile.
-- name: job_finish
-- params: id text, holder text, version int
DELETE FROM job WHERE id = :id AND holder = :holder AND version = :version

-- name: job_retry
-- params: id text, holder text, delay int, attempts int, payload text, error text, version int
-- dialect: sqlite3
UPDATE job SET lease_until = 0, holder = NULL, attempts = :attempts, error = :error,
       payload = CASE WHEN version = :version THEN :payload ELSE payload END,
       run_at = CASE WHEN version = :version
                     THEN CAST(strftime('%s', 'now') AS INTEGER) + :delay ELSE run_at END
 WHERE id = :id AND holder = :holder
-- dialect: pgsql
UPDATE job SET lease_until = 0, holder = NULL, attempts = :attempts, error = :error,
       payload = CASE WHEN version = :version THEN :payload ELSE payload END,
       run_at = CASE WHEN version = :version
                     THEN FLOOR(EXTRACT(EPOCH FROM clock_timestamp()))::bigint + :delay
                     ELSE run_at END
 WHERE id = :id AND holder = :holder
-- dialect: mysql
UPDATE job SET lease_until = 0, holder = NULL, attempts = :attempts, error = :error,
       payload = IF(version = :version, :payload, payload),
       run_at = IF(version = :version, UNIX_TIMESTAMP() + :delay, run_at)
 WHERE id = :id AND holder = :holder

-- name: job_park
-- params: id text, holder text, error text, version int
UPDATE job SET lease_until = 0, holder = NULL, error = :error,
       attempts = CASE WHEN version = :version THEN attempts ELSE 0 END,
       state = CASE WHEN version = :version THEN 'parked' ELSE state END
 WHERE id = :id AND holder = :holder
