-- name: entitlement_clear
-- params: customer text, livemode int
DELETE FROM entitlement WHERE customer = :customer AND livemode = :livemode

-- name: entitlement_insert
-- params: customer text, lookup_key text, livemode int, feature text
INSERT INTO entitlement (customer, lookup_key, livemode, feature)
VALUES (:customer, :lookup_key, :livemode, :feature)

-- name: entitlement_by_customer
-- row: name
-- params: customer text, livemode int
-- columns: name text
SELECT lookup_key FROM entitlement WHERE customer = :customer AND livemode = :livemode
 ORDER BY lookup_key

-- Those of all of the user's customers that Stripe still has.
-- name: entitlement_by_user
-- row: name
-- params: user text, livemode int
-- columns: name text
SELECT DISTINCT e.lookup_key
  FROM customer c
  JOIN entitlement e ON e.customer = c.id AND e.livemode = c.livemode
 WHERE c.user_name = :user AND c.livemode = :livemode AND c.gone_at = 0 AND c.deleted_at = 0
 ORDER BY e.lookup_key

-- name: entitlement_held
-- row: number
-- params: user text, lookup_key text, livemode int
-- columns: n int
SELECT COUNT(*)
  FROM customer c
  JOIN entitlement e ON e.customer = c.id AND e.livemode = c.livemode
 WHERE c.user_name = :user AND c.livemode = :livemode AND c.gone_at = 0 AND c.deleted_at = 0
   AND e.lookup_key = :lookup_key

-- name: entitlement_dated
-- params: customer text, livemode int, at int
UPDATE customer SET entitlements_at = :at WHERE id = :customer AND livemode = :livemode
