-- oldest: 1
-- What users ask for in the life of their subscriptions, and the free plans that they hold.

-- One row per thing that is to be done to a subscription at Stripe. It comes before the call, and its id is
-- the call's idempotency key.
CREATE TABLE user_action (
    id TEXT COLLATE "C" NOT NULL,
    livemode BIGINT NOT NULL DEFAULT 0,
    user_name TEXT COLLATE "C" NOT NULL,
    subscription TEXT COLLATE "C" NOT NULL,
    kind TEXT NOT NULL,
    wish TEXT NOT NULL,
    number BIGINT NOT NULL DEFAULT 0,
    state TEXT NOT NULL,
    code TEXT,
    created_at BIGINT NOT NULL DEFAULT 0,
    ended_at BIGINT NOT NULL DEFAULT 0,
    PRIMARY KEY (id)
);
CREATE INDEX user_action_subscription ON user_action (subscription, livemode, created_at);

-- The change of plan that a subscription schedule makes at the end of the period.
CREATE TABLE planned_change (
    subscription TEXT COLLATE "C" NOT NULL,
    livemode BIGINT NOT NULL DEFAULT 0,
    schedule TEXT COLLATE "C" NOT NULL,
    plan TEXT,
    price TEXT COLLATE "C" NOT NULL,
    quantity BIGINT NOT NULL DEFAULT 0,
    effective_at BIGINT NOT NULL DEFAULT 0,
    told_at BIGINT NOT NULL DEFAULT 0,
    PRIMARY KEY (subscription, livemode)
);
CREATE INDEX planned_change_schedule ON planned_change (schedule);

-- Free plans, since the user was first seen here.
CREATE TABLE membership (
    user_name TEXT COLLATE "C" NOT NULL,
    plan TEXT NOT NULL,
    since BIGINT NOT NULL DEFAULT 0,
    PRIMARY KEY (user_name, plan)
);

-- For reading all of them in the order in which Stripe lists them.
CREATE INDEX subscription_created ON subscription (livemode, created_at);
