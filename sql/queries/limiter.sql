-- A time that lies further ahead than any pause comes of a clock that jumped back since, and counts for nothing.

-- Takes one call out of the budget: changes a row when there is one to take. interval: milliseconds per
-- call; ahead: how many milliseconds of calls may be spoken for at once.
-- name: limiter_take
-- params: name text, interval int, ahead int
-- dialect: sqlite3
UPDATE limiter
   SET tat = CASE WHEN tat > CAST((julianday('now') - 2440587.5) * 86400000 AS INTEGER) + 600000
                  THEN CAST((julianday('now') - 2440587.5) * 86400000 AS INTEGER)
                  ELSE MAX(tat, CAST((julianday('now') - 2440587.5) * 86400000 AS INTEGER)) END + :interval
 WHERE name = :name
   AND (tat <= CAST((julianday('now') - 2440587.5) * 86400000 AS INTEGER) + :ahead
        OR tat > CAST((julianday('now') - 2440587.5) * 86400000 AS INTEGER) + 600000)
-- dialect: pgsql
UPDATE limiter
   SET tat = CASE WHEN tat > FLOOR(EXTRACT(EPOCH FROM clock_timestamp()) * 1000)::bigint + 600000
                  THEN FLOOR(EXTRACT(EPOCH FROM clock_timestamp()) * 1000)::bigint
                  ELSE GREATEST(tat, FLOOR(EXTRACT(EPOCH FROM clock_timestamp()) * 1000)::bigint) END + :interval
 WHERE name = :name
   AND (tat <= FLOOR(EXTRACT(EPOCH FROM clock_timestamp()) * 1000)::bigint + :ahead
        OR tat > FLOOR(EXTRACT(EPOCH FROM clock_timestamp()) * 1000)::bigint + 600000)
-- dialect: mysql
UPDATE limiter
   SET tat = CASE WHEN tat > FLOOR(UNIX_TIMESTAMP(SYSDATE(3)) * 1000) + 600000
                  THEN FLOOR(UNIX_TIMESTAMP(SYSDATE(3)) * 1000)
                  ELSE GREATEST(tat, FLOOR(UNIX_TIMESTAMP(SYSDATE(3)) * 1000)) END + :interval
 WHERE name = :name
   AND (tat <= FLOOR(UNIX_TIMESTAMP(SYSDATE(3)) * 1000) + :ahead
        OR tat > FLOOR(UNIX_TIMESTAMP(SYSDATE(3)) * 1000) + 600000)

-- Stripe wants to be left alone for so many milliseconds.
-- name: limiter_pause
-- params: name text, pause int
-- dialect: sqlite3
UPDATE limiter
   SET tat = CASE WHEN tat > CAST((julianday('now') - 2440587.5) * 86400000 AS INTEGER) + 600000
                  THEN CAST((julianday('now') - 2440587.5) * 86400000 AS INTEGER) + :pause
                  ELSE MAX(tat, CAST((julianday('now') - 2440587.5) * 86400000 AS INTEGER) + :pause) END
 WHERE name = :name
-- dialect: pgsql
UPDATE limiter
   SET tat = CASE WHEN tat > FLOOR(EXTRACT(EPOCH FROM clock_timestamp()) * 1000)::bigint + 600000
                  THEN FLOOR(EXTRACT(EPOCH FROM clock_timestamp()) * 1000)::bigint + :pause
                  ELSE GREATEST(tat, FLOOR(EXTRACT(EPOCH FROM clock_timestamp()) * 1000)::bigint + :pause) END
 WHERE name = :name
-- dialect: mysql
UPDATE limiter
   SET tat = CASE WHEN tat > FLOOR(UNIX_TIMESTAMP(SYSDATE(3)) * 1000) + 600000
                  THEN FLOOR(UNIX_TIMESTAMP(SYSDATE(3)) * 1000) + :pause
                  ELSE GREATEST(tat, FLOOR(UNIX_TIMESTAMP(SYSDATE(3)) * 1000) + :pause) END
 WHERE name = :name
