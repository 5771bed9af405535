-- oldest: 1
-- The tables of plans, subscriptions, invoices and events. Names and ids are COLLATE "C": equal means
-- equal bytes, whatever the collation of the database.

-- One row per user who ever bought or was bound. Names are exact bytes.
CREATE TABLE account (
    user_name TEXT COLLATE "C" NOT NULL,
    email TEXT,
    created_at BIGINT NOT NULL DEFAULT 0,
    PRIMARY KEY (user_name)
);

-- Stripe customers. A user has at most one living customer per mode.
CREATE TABLE customer (
    id TEXT COLLATE "C" NOT NULL,
    livemode BIGINT NOT NULL DEFAULT 0,
    user_name TEXT COLLATE "C",
    source TEXT,
    created_at BIGINT NOT NULL DEFAULT 0,
    deleted_at BIGINT NOT NULL DEFAULT 0,
    PRIMARY KEY (id, livemode)
);
CREATE UNIQUE INDEX customer_living ON customer (user_name, livemode)
    WHERE deleted_at = 0 AND user_name IS NOT NULL;

-- Mirror of Stripe's subscriptions.
CREATE TABLE subscription (
    id TEXT COLLATE "C" NOT NULL,
    livemode BIGINT NOT NULL DEFAULT 0,
    user_name TEXT COLLATE "C",
    customer TEXT COLLATE "C",
    status TEXT NOT NULL,
    plan TEXT,
    price TEXT COLLATE "C",
    product TEXT COLLATE "C",
    currency TEXT,
    billing_interval TEXT,
    interval_count BIGINT NOT NULL DEFAULT 0,
    amount BIGINT NOT NULL DEFAULT 0,
    quantity BIGINT NOT NULL DEFAULT 0,
    created_at BIGINT NOT NULL DEFAULT 0,
    current_period_start BIGINT NOT NULL DEFAULT 0,
    current_period_end BIGINT NOT NULL DEFAULT 0,
    trial_start BIGINT NOT NULL DEFAULT 0,
    trial_end BIGINT NOT NULL DEFAULT 0,
    cancel_at BIGINT NOT NULL DEFAULT 0,
    cancel_at_period_end BIGINT NOT NULL DEFAULT 0,
    canceled_at BIGINT NOT NULL DEFAULT 0,
    ended_at BIGINT NOT NULL DEFAULT 0,
    past_due_since BIGINT NOT NULL DEFAULT 0,
    pause_collection TEXT,
    latest_invoice TEXT COLLATE "C",
    event_created BIGINT NOT NULL DEFAULT 0,
    event_id TEXT COLLATE "C",
    source TEXT,
    updated_at BIGINT NOT NULL DEFAULT 0,
    PRIMARY KEY (id, livemode)
);
CREATE INDEX subscription_user ON subscription (user_name, livemode);
CREATE INDEX subscription_customer ON subscription (customer, livemode);

-- What a subscription consists of.
CREATE TABLE subscription_item (
    id TEXT COLLATE "C" NOT NULL,
    livemode BIGINT NOT NULL DEFAULT 0,
    subscription TEXT COLLATE "C" NOT NULL,
    position BIGINT NOT NULL DEFAULT 0,
    price TEXT COLLATE "C",
    product TEXT COLLATE "C",
    currency TEXT,
    billing_interval TEXT,
    interval_count BIGINT NOT NULL DEFAULT 0,
    amount BIGINT NOT NULL DEFAULT 0,
    quantity BIGINT NOT NULL DEFAULT 0,
    period_start BIGINT NOT NULL DEFAULT 0,
    period_end BIGINT NOT NULL DEFAULT 0,
    PRIMARY KEY (id, livemode)
);
CREATE INDEX subscription_item_subscription ON subscription_item (subscription, livemode);

-- Kept for ever: an archived price still says which plan its old subscribers hold.
CREATE TABLE price (
    id TEXT COLLATE "C" NOT NULL,
    livemode BIGINT NOT NULL DEFAULT 0,
    product TEXT COLLATE "C",
    plan TEXT,
    currency TEXT,
    amount BIGINT NOT NULL DEFAULT 0,
    billing_interval TEXT,
    interval_count BIGINT NOT NULL DEFAULT 0,
    active BIGINT NOT NULL DEFAULT 0,
    lookup_key TEXT,
    source TEXT,
    updated_at BIGINT NOT NULL DEFAULT 0,
    PRIMARY KEY (id, livemode)
);
CREATE INDEX price_product ON price (product, livemode);

CREATE TABLE product (
    id TEXT COLLATE "C" NOT NULL,
    livemode BIGINT NOT NULL DEFAULT 0,
    name TEXT,
    plan TEXT,
    active BIGINT NOT NULL DEFAULT 0,
    source TEXT,
    updated_at BIGINT NOT NULL DEFAULT 0,
    PRIMARY KEY (id, livemode)
);

-- Everything that was claimed about the world. The primary key makes an event apply at most once.
CREATE TABLE event (
    id TEXT COLLATE "C" NOT NULL,
    type TEXT NOT NULL,
    livemode BIGINT NOT NULL DEFAULT 0,
    api_version TEXT,
    account TEXT,
    object_id TEXT COLLATE "C",
    created_at BIGINT NOT NULL DEFAULT 0,
    received_at BIGINT NOT NULL DEFAULT 0,
    state TEXT NOT NULL,
    reason TEXT,
    attempts BIGINT NOT NULL DEFAULT 0,
    source TEXT,
    lease_until BIGINT NOT NULL DEFAULT 0,
    PRIMARY KEY (id)
);
CREATE INDEX event_received ON event (received_at);
CREATE INDEX event_state ON event (state, received_at);

-- The raw bodies, apart, so that lists of events do not drag them along.
CREATE TABLE event_body (
    event_id TEXT COLLATE "C" NOT NULL,
    body TEXT NOT NULL,
    PRIMARY KEY (event_id)
);

CREATE TABLE invoice (
    id TEXT COLLATE "C" NOT NULL,
    livemode BIGINT NOT NULL DEFAULT 0,
    customer TEXT COLLATE "C",
    subscription TEXT COLLATE "C",
    user_name TEXT COLLATE "C",
    status TEXT,
    currency TEXT,
    amount_due BIGINT NOT NULL DEFAULT 0,
    amount_paid BIGINT NOT NULL DEFAULT 0,
    hosted_url TEXT,
    pdf_url TEXT,
    number TEXT,
    billing_reason TEXT,
    created_at BIGINT NOT NULL DEFAULT 0,
    paid_at BIGINT NOT NULL DEFAULT 0,
    period_start BIGINT NOT NULL DEFAULT 0,
    period_end BIGINT NOT NULL DEFAULT 0,
    attempt_count BIGINT NOT NULL DEFAULT 0,
    next_payment_attempt BIGINT NOT NULL DEFAULT 0,
    event_created BIGINT NOT NULL DEFAULT 0,
    source TEXT,
    PRIMARY KEY (id, livemode)
);
CREATE INDEX invoice_user ON invoice (user_name, livemode, created_at);
CREATE INDEX invoice_customer ON invoice (customer, livemode);

CREATE TABLE payment (
    id TEXT COLLATE "C" NOT NULL,
    livemode BIGINT NOT NULL DEFAULT 0,
    kind TEXT,
    user_name TEXT COLLATE "C",
    customer TEXT COLLATE "C",
    invoice TEXT COLLATE "C",
    currency TEXT,
    amount BIGINT NOT NULL DEFAULT 0,
    status TEXT NOT NULL,
    created_at BIGINT NOT NULL DEFAULT 0,
    source TEXT,
    PRIMARY KEY (id, livemode)
);
CREATE INDEX payment_user ON payment (user_name, livemode, created_at);
CREATE INDEX payment_customer ON payment (customer, livemode);

-- The Checkout sessions this site made, for whom and where the buyer goes afterwards.
CREATE TABLE checkout (
    id TEXT COLLATE "C" NOT NULL,
    session TEXT COLLATE "C",
    livemode BIGINT NOT NULL DEFAULT 0,
    user_name TEXT COLLATE "C" NOT NULL,
    plan TEXT,
    price TEXT COLLATE "C",
    quantity BIGINT NOT NULL DEFAULT 0,
    mode TEXT,
    success_url TEXT,
    cancel_url TEXT,
    url TEXT,
    idempotency_key TEXT,
    state TEXT NOT NULL,
    created_at BIGINT NOT NULL DEFAULT 0,
    expires_at BIGINT NOT NULL DEFAULT 0,
    completed_at BIGINT NOT NULL DEFAULT 0,
    customer TEXT COLLATE "C",
    subscription TEXT COLLATE "C",
    PRIMARY KEY (id)
);
CREATE UNIQUE INDEX checkout_session ON checkout (session);
CREATE INDEX checkout_user ON checkout (user_name, livemode, created_at);

-- Who has had the free trial. Never deleted.
CREATE TABLE trial (
    user_name TEXT COLLATE "C" NOT NULL,
    livemode BIGINT NOT NULL DEFAULT 0,
    used_at BIGINT NOT NULL DEFAULT 0,
    plan TEXT,
    subscription TEXT COLLATE "C",
    source TEXT,
    PRIMARY KEY (user_name, livemode)
);

-- Every binding of a customer to a user, and every refused one.
CREATE TABLE link_audit (
    id TEXT COLLATE "C" NOT NULL,
    user_name TEXT COLLATE "C",
    customer TEXT COLLATE "C",
    livemode BIGINT NOT NULL DEFAULT 0,
    what TEXT,
    who TEXT,
    changed_at BIGINT NOT NULL DEFAULT 0,
    PRIMARY KEY (id)
);
CREATE INDEX link_audit_customer ON link_audit (customer, livemode);
CREATE INDEX link_audit_user ON link_audit (user_name, changed_at);

-- 1024 counters; a transaction that changes access adds one to the slots of its users.
CREATE TABLE epoch (
    slot BIGINT NOT NULL DEFAULT 0,
    v BIGINT NOT NULL DEFAULT 0,
    PRIMARY KEY (slot)
);
INSERT INTO epoch (slot, v) SELECT i, 0 FROM generate_series(0, 1023) AS i;

-- Keys that all servers of the site share: 32 random bytes as hexadecimal digits.
CREATE TABLE server_secret (
    name TEXT COLLATE "C" NOT NULL,
    value TEXT NOT NULL,
    created_at BIGINT NOT NULL DEFAULT 0,
    PRIMARY KEY (name)
);
