-- How much has happened between a user and its customers: bound, released, refused, not made.
-- name: link_history_length
-- params: user text, livemode int
-- columns: n int
SELECT COUNT(*) FROM link_audit WHERE user_name = :user AND livemode = :livemode
