-- An object that has no row yet cannot be locked by its row; a row of this table stands for it. SQLite has
-- one writer anyway.
-- name: turn_take
-- row: turn
-- params: slot int
-- columns: slot int
-- dialect: default
SELECT slot FROM turn WHERE slot = :slot FOR UPDATE
-- dialect: sqlite3
SELECT slot FROM turn WHERE slot = :slot
