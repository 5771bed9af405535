-- oldest: 1
-- The tables of plans, subscriptions, invoices and events. SQLite compares TEXT byte by byte, which is
-- what user names and ids need.

-- One row per user who ever bought or was bound. Names are exact bytes.
CREATE TABLE account (
    user_name TEXT NOT NULL,
    email TEXT,
    created_at INTEGER NOT NULL DEFAULT 0,
    PRIMARY KEY (user_name)
) WITHOUT ROWID;

-- Stripe customers. A user has at most one living customer per mode.
CREATE TABLE customer (
    id TEXT NOT NULL,
    livemode INTEGER NOT NULL DEFAULT 0,
    user_name TEXT,
    source TEXT,
    created_at INTEGER NOT NULL DEFAULT 0,
    deleted_at INTEGER NOT NULL DEFAULT 0,
    PRIMARY KEY (id, livemode)
) WITHOUT ROWID;
CREATE UNIQUE INDEX customer_living ON customer (user_name, livemode)
    WHERE deleted_at = 0 AND user_name IS NOT NULL;

-- Mirror of Stripe's subscriptions.
CREATE TABLE subscription (
    id TEXT NOT NULL,
    livemode INTEGER NOT NULL DEFAULT 0,
    user_name TEXT,
    customer TEXT,
    status TEXT NOT NULL,
    plan TEXT,
    price TEXT,
    product TEXT,
    currency TEXT,
    billing_interval TEXT,
    interval_count INTEGER NOT NULL DEFAULT 0,
    amount INTEGER NOT NULL DEFAULT 0,
    quantity INTEGER NOT NULL DEFAULT 0,
    created_at INTEGER NOT NULL DEFAULT 0,
    current_period_start INTEGER NOT NULL DEFAULT 0,
    current_period_end INTEGER NOT NULL DEFAULT 0,
    trial_start INTEGER NOT NULL DEFAULT 0,
    trial_end INTEGER NOT NULL DEFAULT 0,
    cancel_at INTEGER NOT NULL DEFAULT 0,
    cancel_at_period_end INTEGER NOT NULL DEFAULT 0,
    canceled_at INTEGER NOT NULL DEFAULT 0,
    ended_at INTEGER NOT NULL DEFAULT 0,
    past_due_since INTEGER NOT NULL DEFAULT 0,
    pause_collection TEXT,
    latest_invoice TEXT,
    event_created INTEGER NOT NULL DEFAULT 0,
    event_id TEXT,
    source TEXT,
    updated_at INTEGER NOT NULL DEFAULT 0,
    PRIMARY KEY (id, livemode)
) WITHOUT ROWID;
CREATE INDEX subscription_user ON subscription (user_name, livemode);
CREATE INDEX subscription_customer ON subscription (customer, livemode);

-- What a subscription consists of.
CREATE TABLE subscription_item (
    id TEXT NOT NULL,
    livemode INTEGER NOT NULL DEFAULT 0,
    subscription TEXT NOT NULL,
    position INTEGER NOT NULL DEFAULT 0,
    price TEXT,
    product TEXT,
    currency TEXT,
    billing_interval TEXT,
    interval_count INTEGER NOT NULL DEFAULT 0,
    amount INTEGER NOT NULL DEFAULT 0,
    quantity INTEGER NOT NULL DEFAULT 0,
    period_start INTEGER NOT NULL DEFAULT 0,
    period_end INTEGER NOT NULL DEFAULT 0,
    PRIMARY KEY (id, livemode)
) WITHOUT ROWID;
CREATE INDEX subscription_item_subscription ON subscription_item (subscription, livemode);

-- Kept for ever: an archived price still says which plan its old subscribers hold.
CREATE TABLE price (
    id TEXT NOT NULL,
    livemode INTEGER NOT NULL DEFAULT 0,
    product TEXT,
    plan TEXT,
    currency TEXT,
    amount INTEGER NOT NULL DEFAULT 0,
    billing_interval TEXT,
    interval_count INTEGER NOT NULL DEFAULT 0,
    active INTEGER NOT NULL DEFAULT 0,
    lookup_key TEXT,
    source TEXT,
    updated_at INTEGER NOT NULL DEFAULT 0,
    PRIMARY KEY (id, livemode)
) WITHOUT ROWID;
CREATE INDEX price_product ON price (product, livemode);

CREATE TABLE product (
    id TEXT NOT NULL,
    livemode INTEGER NOT NULL DEFAULT 0,
    name TEXT,
    plan TEXT,
    active INTEGER NOT NULL DEFAULT 0,
    source TEXT,
    updated_at INTEGER NOT NULL DEFAULT 0,
    PRIMARY KEY (id, livemode)
) WITHOUT ROWID;

-- Everything that was claimed about the world. The primary key makes an event apply at most once.
CREATE TABLE event (
    id TEXT NOT NULL,
    type TEXT NOT NULL,
    livemode INTEGER NOT NULL DEFAULT 0,
    api_version TEXT,
    account TEXT,
    object_id TEXT,
    created_at INTEGER NOT NULL DEFAULT 0,
    received_at INTEGER NOT NULL DEFAULT 0,
    state TEXT NOT NULL,
    reason TEXT,
    attempts INTEGER NOT NULL DEFAULT 0,
    source TEXT,
    lease_until INTEGER NOT NULL DEFAULT 0,
    PRIMARY KEY (id)
) WITHOUT ROWID;
CREATE INDEX event_received ON event (received_at);
CREATE INDEX event_state ON event (state, received_at);

-- The raw bodies, apart, so that lists of events do not drag them along.
CREATE TABLE event_body (
    event_id TEXT NOT NULL,
    body TEXT NOT NULL,
    PRIMARY KEY (event_id)
);

CREATE TABLE invoice (
    id TEXT NOT NULL,
    livemode INTEGER NOT NULL DEFAULT 0,
    customer TEXT,
    subscription TEXT,
    user_name TEXT,
    status TEXT,
    currency TEXT,
    amount_due INTEGER NOT NULL DEFAULT 0,
    amount_paid INTEGER NOT NULL DEFAULT 0,
    hosted_url TEXT,
    pdf_url TEXT,
    number TEXT,
    billing_reason TEXT,
    created_at INTEGER NOT NULL DEFAULT 0,
    paid_at INTEGER NOT NULL DEFAULT 0,
    period_start INTEGER NOT NULL DEFAULT 0,
    period_end INTEGER NOT NULL DEFAULT 0,
    attempt_count INTEGER NOT NULL DEFAULT 0,
    next_payment_attempt INTEGER NOT NULL DEFAULT 0,
    event_created INTEGER NOT NULL DEFAULT 0,
    source TEXT,
    PRIMARY KEY (id, livemode)
) WITHOUT ROWID;
CREATE INDEX invoice_user ON invoice (user_name, livemode, created_at);
CREATE INDEX invoice_customer ON invoice (customer, livemode);

CREATE TABLE payment (
    id TEXT NOT NULL,
    livemode INTEGER NOT NULL DEFAULT 0,
    kind TEXT,
    user_name TEXT,
    customer TEXT,
    invoice TEXT,
    currency TEXT,
    amount INTEGER NOT NULL DEFAULT 0,
    status TEXT NOT NULL,
    created_at INTEGER NOT NULL DEFAULT 0,
    source TEXT,
    PRIMARY KEY (id, livemode)
) WITHOUT ROWID;
CREATE INDEX payment_user ON payment (user_name, livemode, created_at);
CREATE INDEX payment_customer ON payment (customer, livemode);

-- The Checkout sessions this site made, for whom and where the buyer goes afterwards.
CREATE TABLE checkout (
    id TEXT NOT NULL,
    session TEXT,
    livemode INTEGER NOT NULL DEFAULT 0,
    user_name TEXT NOT NULL,
    plan TEXT,
    price TEXT,
    quantity INTEGER NOT NULL DEFAULT 0,
    mode TEXT,
    success_url TEXT,
    cancel_url TEXT,
    url TEXT,
    idempotency_key TEXT,
    state TEXT NOT NULL,
    created_at INTEGER NOT NULL DEFAULT 0,
    expires_at INTEGER NOT NULL DEFAULT 0,
    completed_at INTEGER NOT NULL DEFAULT 0,
    customer TEXT,
    subscription TEXT,
    PRIMARY KEY (id)
) WITHOUT ROWID;
CREATE UNIQUE INDEX checkout_session ON checkout (session);
CREATE INDEX checkout_user ON checkout (user_name, livemode, created_at);

-- Who has had the free trial. Never deleted.
CREATE TABLE trial (
    user_name TEXT NOT NULL,
    livemode INTEGER NOT NULL DEFAULT 0,
    used_at INTEGER NOT NULL DEFAULT 0,
    plan TEXT,
    subscription TEXT,
    source TEXT,
    PRIMARY KEY (user_name, livemode)
) WITHOUT ROWID;

-- Every binding of a customer to a user, and every refused one.
CREATE TABLE link_audit (
    id TEXT NOT NULL,
    user_name TEXT,
    customer TEXT,
    livemode INTEGER NOT NULL DEFAULT 0,
    what TEXT,
    who TEXT,
    changed_at INTEGER NOT NULL DEFAULT 0,
    PRIMARY KEY (id)
) WITHOUT ROWID;
CREATE INDEX link_audit_customer ON link_audit (customer, livemode);
CREATE INDEX link_audit_user ON link_audit (user_name, changed_at);

-- 1024 counters; a transaction that changes access adds one to the slots of its users.
CREATE TABLE epoch (
    slot INTEGER NOT NULL DEFAULT 0,
    v INTEGER NOT NULL DEFAULT 0,
    PRIMARY KEY (slot)
) WITHOUT ROWID;
INSERT INTO epoch (slot, v)
  WITH RECURSIVE n(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i < 1023)
  SELECT i, 0 FROM n;

-- Keys that all servers of the site share: 32 random bytes as hexadecimal digits.
CREATE TABLE server_secret (
    name TEXT NOT NULL,
    value TEXT NOT NULL,
    created_at INTEGER NOT NULL DEFAULT 0,
    PRIMARY KEY (name)
) WITHOUT ROWID;
