-- oldest: 1
-- What users ask for in the life of their subscriptions, and the free plans that they hold.

-- One row per thing that is to be done to a subscription at Stripe. It comes before the call, and its id is
-- the call's idempotency key.
CREATE TABLE IF NOT EXISTS user_action (
    id VARBINARY(255) NOT NULL,
    livemode BIGINT NOT NULL DEFAULT 0,
    user_name VARBINARY(190) NOT NULL,
    subscription VARBINARY(255) NOT NULL,
    kind VARBINARY(32) NOT NULL,
    wish VARBINARY(1000) NOT NULL,
    number BIGINT NOT NULL DEFAULT 0,
    state VARBINARY(16) NOT NULL,
    code VARBINARY(100),
    created_at BIGINT NOT NULL DEFAULT 0,
    ended_at BIGINT NOT NULL DEFAULT 0,
    PRIMARY KEY (id),
    KEY user_action_subscription (subscription, livemode, created_at)
) ENGINE = InnoDB ROW_FORMAT = DYNAMIC DEFAULT CHARSET = utf8mb4;

-- The change of plan that a subscription schedule makes at the end of the period.
CREATE TABLE IF NOT EXISTS planned_change (
    subscription VARBINARY(255) NOT NULL,
    livemode BIGINT NOT NULL DEFAULT 0,
    schedule VARBINARY(255) NOT NULL,
    plan VARBINARY(64),
    price VARBINARY(255) NOT NULL,
    quantity BIGINT NOT NULL DEFAULT 0,
    effective_at BIGINT NOT NULL DEFAULT 0,
    told_at BIGINT NOT NULL DEFAULT 0,
    PRIMARY KEY (subscription, livemode),
    KEY planned_change_schedule (schedule)
) ENGINE = InnoDB ROW_FORMAT = DYNAMIC DEFAULT CHARSET = utf8mb4;

-- Free plans, since the user was first seen here.
CREATE TABLE IF NOT EXISTS membership (
    user_name VARBINARY(190) NOT NULL,
    plan VARBINARY(64) NOT NULL,
    since BIGINT NOT NULL DEFAULT 0,
    PRIMARY KEY (user_name, plan)
) ENGINE = InnoDB ROW_FORMAT = DYNAMIC DEFAULT CHARSET = utf8mb4;

-- For reading all of them in the order in which Stripe lists them.
ALTER TABLE subscription ADD KEY subscription_created (livemode, created_at);
