-- What a site would ask on each request that has these tables and no gate: the plans a user holds now. It
-- answers as the gate does, for subscriptions of several items, trials, planned ends and disputes, too.
SELECT CASE WHEN i.price IS NULL OR i.price = s.price THEN COALESCE(s.plan, p.plan, d.plan)
            ELSE COALESCE(p.plan, d.plan) END
  FROM subscription s
  LEFT JOIN subscription_item i ON i.subscription = s.id AND i.livemode = s.livemode
   AND (i.quantity > 0 OR i.price = s.price)
  LEFT JOIN price p ON p.id = COALESCE(i.price, s.price) AND p.livemode = s.livemode
  LEFT JOIN product d ON d.id = COALESCE(i.product, s.product) AND d.livemode = s.livemode
 WHERE s.user_name = :user AND s.livemode = 0 AND s.disputed = 0
   AND s.status IN ('active', 'trialing')
   AND (s.cancel_at = 0 OR s.cancel_at > EXTRACT(EPOCH FROM now()))
   AND (s.status = 'active' OR s.trial_end > EXTRACT(EPOCH FROM now()))
