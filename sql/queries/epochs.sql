-- name: epoch_bump
-- params: slot int
UPDATE epoch SET v = v + 1 WHERE slot = :slot
