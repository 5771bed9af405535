-- Transactions are opened and closed by plain commands: apr_dbd's own transactions report success
-- after a rollback and crash on a dead PostgreSQL connection.

-- name: begin
-- kind: command
-- dialect: sqlite3
BEGIN IMMEDIATE
-- dialect: pgsql
BEGIN
-- dialect: mysql
START TRANSACTION

-- Selects of one such transaction all see the same moment; it is left by ROLLBACK.
-- name: begin_snapshot
-- kind: command
-- dialect: sqlite3
BEGIN
-- dialect: pgsql
BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY
-- dialect: mysql
START TRANSACTION READ ONLY

-- Before it on MySQL and MariaDB, which take the level from the session or from the statement before.
-- name: snapshot_isolation
-- kind: command
SET TRANSACTION ISOLATION LEVEL REPEATABLE READ

-- name: commit
-- kind: command
COMMIT

-- name: rollback
-- kind: command
ROLLBACK

-- Sent once on every new connection. The time limits are the server's half of the deadlines: they end
-- what a client that was cut off left running. On SQLite: what was committed survives a power cut.
-- name: session_limits
-- kind: command
-- dialect: sqlite3
PRAGMA synchronous = FULL
-- dialect: pgsql
SET statement_timeout = 10000; SET lock_timeout = 5000; SET idle_in_transaction_session_timeout = 30000; SET client_encoding = 'UTF8'; SET default_transaction_isolation = 'read committed'
-- dialect: mysql
SET SESSION sql_mode = 'STRICT_ALL_TABLES,ERROR_FOR_DIVISION_BY_ZERO,NO_ENGINE_SUBSTITUTION', SESSION innodb_lock_wait_timeout = 5, SESSION group_concat_max_len = 16384, SESSION wait_timeout = 3600, SESSION time_zone = '+00:00', NAMES utf8mb4

-- name: session_isolation
-- kind: command
-- dialect: sqlite3
PRAGMA temp_store = MEMORY
-- dialect: pgsql
SET default_transaction_isolation = 'read committed'
-- dialect: mysql
SET SESSION TRANSACTION ISOLATION LEVEL READ COMMITTED
