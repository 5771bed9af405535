-- The first two are what a migration stands on, so they are not part of one.

-- name: schema_make_version
-- kind: command
CREATE TABLE IF NOT EXISTS schema_version (
    version BIGINT NOT NULL PRIMARY KEY,
    oldest BIGINT NOT NULL,
    applied_at BIGINT NOT NULL
)

-- name: schema_make_step
-- kind: command
CREATE TABLE IF NOT EXISTS schema_step (
    version BIGINT NOT NULL,
    step BIGINT NOT NULL,
    applied_at BIGINT NOT NULL,
    PRIMARY KEY (version, step)
)

-- name: schema_version_get
-- row: schema_version
-- columns: version int, oldest int
SELECT version, oldest FROM schema_version ORDER BY version DESC LIMIT 1

-- name: schema_version_insert
-- params: version int, oldest int, now int
INSERT INTO schema_version (version, oldest, applied_at) VALUES (:version, :oldest, :now)

-- name: schema_step_list
-- params: version int
-- columns: step int
SELECT step FROM schema_step WHERE version = :version

-- name: schema_step_insert
-- params: version int, step int, now int
INSERT INTO schema_step (version, step, applied_at) VALUES (:version, :step, :now)

-- One migration at a time, across hosts. SQLite is locked by BEGIN IMMEDIATE.
-- name: schema_lock
-- row: lock
-- columns: locked int
-- dialect: sqlite3
SELECT 1
-- dialect: pgsql
SELECT 1 FROM (SELECT pg_advisory_xact_lock(7352186493)) AS taken
-- dialect: mysql
SELECT GET_LOCK(CONCAT('subbill_migrate.', MD5(DATABASE())), 60)

-- name: schema_unlock
-- row: lock
-- columns: locked int
-- dialect: default
SELECT 1
-- dialect: mysql
SELECT RELEASE_LOCK(CONCAT('subbill_migrate.', MD5(DATABASE())))

-- Before a migration. SQLite: readers go on while somebody writes; the setting stays in the file. The
-- others: the time limits of ordinary sessions are too short for a migration.
-- name: schema_prepare
-- kind: command
-- dialect: sqlite3
PRAGMA journal_mode = WAL
-- dialect: pgsql
SET lock_timeout = 60000; SET statement_timeout = 0
-- dialect: mysql
SET SESSION lock_wait_timeout = 60
