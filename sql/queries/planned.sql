-- name: planned_by_user
-- params: user text, livemode int
-- columns: subscription text, schedule text, plan text, price text, quantity int, effective_at int
SELECT c.subscription, c.schedule, c.plan, c.price, c.quantity, c.effective_at
  FROM subscription s
  JOIN planned_change c ON c.subscription = s.id AND c.livemode = s.livemode
 WHERE s.user_name = :user AND s.livemode = :livemode AND c.price <> ''

-- An older statement never replaces a newer one, and a schedule that was ended (its row has no price) does
-- not come back. MySQL assigns from left to right, each with the values before it, so the order matters.
-- name: planned_save
-- params: subscription text, livemode int, schedule text, plan text, price text, quantity int
-- params: effective_at int, told_at int
-- dialect: default
INSERT INTO planned_change (subscription, livemode, schedule, plan, price, quantity, effective_at, told_at)
VALUES (:subscription, :livemode, :schedule, :plan, :price, :quantity, :effective_at, :told_at)
ON CONFLICT (subscription, livemode) DO UPDATE
   SET schedule = excluded.schedule, plan = excluded.plan, price = excluded.price,
       quantity = excluded.quantity, effective_at = excluded.effective_at, told_at = excluded.told_at
 WHERE excluded.told_at >= planned_change.told_at
   AND (planned_change.price <> '' OR planned_change.schedule <> excluded.schedule)
-- dialect: mysql
INSERT INTO planned_change (subscription, livemode, schedule, plan, price, quantity, effective_at, told_at)
VALUES (:subscription, :livemode, :schedule, :plan, :price, :quantity, :effective_at, :told_at)
ON DUPLICATE KEY UPDATE
       plan = IF(told_at > VALUES(told_at) OR (price = '' AND schedule = VALUES(schedule)),
               plan, VALUES(plan)),
       quantity = IF(told_at > VALUES(told_at) OR (price = '' AND schedule = VALUES(schedule)),
               quantity, VALUES(quantity)),
       effective_at = IF(told_at > VALUES(told_at) OR (price = '' AND schedule = VALUES(schedule)),
               effective_at, VALUES(effective_at)),
       price = IF(told_at > VALUES(told_at) OR (price = '' AND schedule = VALUES(schedule)),
               price, VALUES(price)),
       schedule = IF(told_at > VALUES(told_at) OR price = '', schedule, VALUES(schedule)),
       told_at = GREATEST(told_at, VALUES(told_at))

-- name: planned_end
-- params: schedule text, livemode int
UPDATE planned_change SET price = '' WHERE schedule = :schedule AND livemode = :livemode
