-- Takes one call out of the budget: changes a row when there is one to take. interval: milliseconds per
-- call; ahead: how many milliseconds of calls may be spoken for at once.
-- name: limiter_take
-- params: name text, interval int, ahead int
-- dialect: sqlite3
UPDATE limiter
   SET tat = MAX(tat, CAST((julianday('now') - 2440587.5) * 86400000 AS INTEGER)) + :interval
 WHERE name = :name
   AND tat <= CAST((julianday('now') - 2440587.5) * 86400000 AS INTEGER) + :ahead
-- dialect: pgsql
UPDATE limiter
   SET tat = GREATEST(tat, FLOOR(EXTRACT(EPOCH FROM clock_timestamp()) * 1000)::bigint) + :interval
 WHERE name = :name
   AND tat <= FLOOR(EXTRACT(EPOCH FROM clock_timestamp()) * 1000)::bigint + :ahead
-- dialect: mysql
UPDATE limiter
   SET tat = GREATEST(tat, FLOOR(UNIX_TIMESTAMP(SYSDATE(3)) * 1000)) + :interval
 WHERE name = :name AND tat <= FLOOR(UNIX_TIMESTAMP(SYSDATE(3)) * 1000) + :ahead

-- Stripe wants to be left alone for so many milliseconds.
-- name: limiter_pause
-- params: name text, pause int
-- dialect: sqlite3
UPDATE limiter
   SET tat = MAX(tat, CAST((julianday('now') - 2440587.5) * 86400000 AS INTEGER) + :pause)
 WHERE name = :name
-- dialect: pgsql
UPDATE limiter
   SET tat = GREATEST(tat, FLOOR(EXTRACT(EPOCH FROM clock_timestamp()) * 1000)::bigint + :pause)
 WHERE name = :name
-- dialect: mysql
UPDATE limiter
   SET tat = GREATEST(tat, FLOOR(UNIX_TIMESTAMP(SYSDATE(3)) * 1000) + :pause)
 WHERE name = :name
