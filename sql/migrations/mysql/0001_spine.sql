-- oldest: 1
-- The tables of plans, subscriptions, invoices and events. All text is VARBINARY: the usual collations
-- take 'victim', 'VICTIM' and 'victim ' for the same user. Every statement can be repeated, because
-- MySQL and MariaDB commit each CREATE on its own; the table schema_step remembers how far a run came.

-- One row per user who ever bought or was bound. Names are exact bytes.
CREATE TABLE IF NOT EXISTS account (
    user_name VARBINARY(190) NOT NULL,
    email VARBINARY(512),
    created_at BIGINT NOT NULL DEFAULT 0,
    PRIMARY KEY (user_name)
) ENGINE = InnoDB ROW_FORMAT = DYNAMIC DEFAULT CHARSET = utf8mb4;

-- Stripe customers. A user has at most one living customer per mode.
CREATE TABLE IF NOT EXISTS customer (
    id VARBINARY(255) NOT NULL,
    livemode BIGINT NOT NULL DEFAULT 0,
    user_name VARBINARY(190),
    source VARBINARY(64),
    created_at BIGINT NOT NULL DEFAULT 0,
    deleted_at BIGINT NOT NULL DEFAULT 0,
    living_user VARBINARY(190) GENERATED ALWAYS AS
        (CASE WHEN deleted_at = 0 THEN user_name END) STORED,
    PRIMARY KEY (id, livemode),
    UNIQUE KEY customer_living (living_user, livemode)
) ENGINE = InnoDB ROW_FORMAT = DYNAMIC DEFAULT CHARSET = utf8mb4;

-- Mirror of Stripe's subscriptions.
CREATE TABLE IF NOT EXISTS subscription (
    id VARBINARY(255) NOT NULL,
    livemode BIGINT NOT NULL DEFAULT 0,
    user_name VARBINARY(190),
    customer VARBINARY(255),
    status VARBINARY(64) NOT NULL,
    plan VARBINARY(190),
    price VARBINARY(255),
    product VARBINARY(255),
    currency VARBINARY(16),
    billing_interval VARBINARY(16),
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
    pause_collection VARBINARY(64),
    latest_invoice VARBINARY(255),
    event_created BIGINT NOT NULL DEFAULT 0,
    event_id VARBINARY(255),
    source VARBINARY(64),
    updated_at BIGINT NOT NULL DEFAULT 0,
    PRIMARY KEY (id, livemode),
    KEY subscription_user (user_name, livemode),
    KEY subscription_customer (customer, livemode)
) ENGINE = InnoDB ROW_FORMAT = DYNAMIC DEFAULT CHARSET = utf8mb4;

-- What a subscription consists of.
CREATE TABLE IF NOT EXISTS subscription_item (
    id VARBINARY(255) NOT NULL,
    livemode BIGINT NOT NULL DEFAULT 0,
    subscription VARBINARY(255) NOT NULL,
    position BIGINT NOT NULL DEFAULT 0,
    price VARBINARY(255),
    product VARBINARY(255),
    currency VARBINARY(16),
    billing_interval VARBINARY(16),
    interval_count BIGINT NOT NULL DEFAULT 0,
    amount BIGINT NOT NULL DEFAULT 0,
    quantity BIGINT NOT NULL DEFAULT 0,
    period_start BIGINT NOT NULL DEFAULT 0,
    period_end BIGINT NOT NULL DEFAULT 0,
    PRIMARY KEY (id, livemode),
    KEY subscription_item_subscription (subscription, livemode)
) ENGINE = InnoDB ROW_FORMAT = DYNAMIC DEFAULT CHARSET = utf8mb4;

-- Kept for ever: an archived price still says which plan its old subscribers hold.
CREATE TABLE IF NOT EXISTS price (
    id VARBINARY(255) NOT NULL,
    livemode BIGINT NOT NULL DEFAULT 0,
    product VARBINARY(255),
    plan VARBINARY(190),
    currency VARBINARY(16),
    amount BIGINT NOT NULL DEFAULT 0,
    billing_interval VARBINARY(16),
    interval_count BIGINT NOT NULL DEFAULT 0,
    active BIGINT NOT NULL DEFAULT 0,
    lookup_key VARBINARY(255),
    source VARBINARY(64),
    updated_at BIGINT NOT NULL DEFAULT 0,
    PRIMARY KEY (id, livemode),
    KEY price_product (product, livemode)
) ENGINE = InnoDB ROW_FORMAT = DYNAMIC DEFAULT CHARSET = utf8mb4;

CREATE TABLE IF NOT EXISTS product (
    id VARBINARY(255) NOT NULL,
    livemode BIGINT NOT NULL DEFAULT 0,
    name VARBINARY(5000),
    plan VARBINARY(190),
    active BIGINT NOT NULL DEFAULT 0,
    source VARBINARY(64),
    updated_at BIGINT NOT NULL DEFAULT 0,
    PRIMARY KEY (id, livemode)
) ENGINE = InnoDB ROW_FORMAT = DYNAMIC DEFAULT CHARSET = utf8mb4;

-- Everything that was claimed about the world. The primary key makes an event apply at most once.
CREATE TABLE IF NOT EXISTS event (
    id VARBINARY(255) NOT NULL,
    type VARBINARY(190) NOT NULL,
    livemode BIGINT NOT NULL DEFAULT 0,
    api_version VARBINARY(64),
    account VARBINARY(255),
    object_id VARBINARY(255),
    created_at BIGINT NOT NULL DEFAULT 0,
    received_at BIGINT NOT NULL DEFAULT 0,
    state VARBINARY(16) NOT NULL,
    reason VARBINARY(1000),
    attempts BIGINT NOT NULL DEFAULT 0,
    source VARBINARY(64),
    lease_until BIGINT NOT NULL DEFAULT 0,
    PRIMARY KEY (id),
    KEY event_received (received_at),
    KEY event_state (state, received_at)
) ENGINE = InnoDB ROW_FORMAT = DYNAMIC DEFAULT CHARSET = utf8mb4;

-- The raw bodies, apart, so that lists of events do not drag them along.
CREATE TABLE IF NOT EXISTS event_body (
    event_id VARBINARY(255) NOT NULL,
    body LONGBLOB NOT NULL,
    PRIMARY KEY (event_id)
) ENGINE = InnoDB ROW_FORMAT = DYNAMIC DEFAULT CHARSET = utf8mb4;

CREATE TABLE IF NOT EXISTS invoice (
    id VARBINARY(255) NOT NULL,
    livemode BIGINT NOT NULL DEFAULT 0,
    customer VARBINARY(255),
    subscription VARBINARY(255),
    user_name VARBINARY(190),
    status VARBINARY(32),
    currency VARBINARY(16),
    amount_due BIGINT NOT NULL DEFAULT 0,
    amount_paid BIGINT NOT NULL DEFAULT 0,
    hosted_url VARBINARY(5000),
    pdf_url VARBINARY(5000),
    number VARBINARY(255),
    billing_reason VARBINARY(64),
    created_at BIGINT NOT NULL DEFAULT 0,
    paid_at BIGINT NOT NULL DEFAULT 0,
    period_start BIGINT NOT NULL DEFAULT 0,
    period_end BIGINT NOT NULL DEFAULT 0,
    attempt_count BIGINT NOT NULL DEFAULT 0,
    next_payment_attempt BIGINT NOT NULL DEFAULT 0,
    event_created BIGINT NOT NULL DEFAULT 0,
    source VARBINARY(64),
    PRIMARY KEY (id, livemode),
    KEY invoice_user (user_name, livemode, created_at),
    KEY invoice_customer (customer, livemode)
) ENGINE = InnoDB ROW_FORMAT = DYNAMIC DEFAULT CHARSET = utf8mb4;

CREATE TABLE IF NOT EXISTS payment (
    id VARBINARY(255) NOT NULL,
    livemode BIGINT NOT NULL DEFAULT 0,
    kind VARBINARY(32),
    user_name VARBINARY(190),
    customer VARBINARY(255),
    invoice VARBINARY(255),
    currency VARBINARY(16),
    amount BIGINT NOT NULL DEFAULT 0,
    status VARBINARY(32) NOT NULL,
    created_at BIGINT NOT NULL DEFAULT 0,
    source VARBINARY(64),
    PRIMARY KEY (id, livemode),
    KEY payment_user (user_name, livemode, created_at),
    KEY payment_customer (customer, livemode)
) ENGINE = InnoDB ROW_FORMAT = DYNAMIC DEFAULT CHARSET = utf8mb4;

-- The Checkout sessions this site made, for whom and where the buyer goes afterwards.
CREATE TABLE IF NOT EXISTS checkout (
    id VARBINARY(190) NOT NULL,
    session VARBINARY(255),
    livemode BIGINT NOT NULL DEFAULT 0,
    user_name VARBINARY(190) NOT NULL,
    plan VARBINARY(190),
    price VARBINARY(255),
    quantity BIGINT NOT NULL DEFAULT 0,
    mode VARBINARY(32),
    success_url VARBINARY(5000),
    cancel_url VARBINARY(5000),
    url VARBINARY(5000),
    idempotency_key VARBINARY(255),
    state VARBINARY(16) NOT NULL,
    created_at BIGINT NOT NULL DEFAULT 0,
    expires_at BIGINT NOT NULL DEFAULT 0,
    completed_at BIGINT NOT NULL DEFAULT 0,
    customer VARBINARY(255),
    subscription VARBINARY(255),
    PRIMARY KEY (id),
    UNIQUE KEY checkout_session (session),
    KEY checkout_user (user_name, livemode, created_at)
) ENGINE = InnoDB ROW_FORMAT = DYNAMIC DEFAULT CHARSET = utf8mb4;

-- Who has had the free trial. Never deleted.
CREATE TABLE IF NOT EXISTS trial (
    user_name VARBINARY(190) NOT NULL,
    livemode BIGINT NOT NULL DEFAULT 0,
    used_at BIGINT NOT NULL DEFAULT 0,
    plan VARBINARY(190),
    subscription VARBINARY(255),
    source VARBINARY(64),
    PRIMARY KEY (user_name, livemode)
) ENGINE = InnoDB ROW_FORMAT = DYNAMIC DEFAULT CHARSET = utf8mb4;

-- Every binding of a customer to a user, and every refused one.
CREATE TABLE IF NOT EXISTS link_audit (
    id VARBINARY(64) NOT NULL,
    user_name VARBINARY(190),
    customer VARBINARY(255),
    livemode BIGINT NOT NULL DEFAULT 0,
    what VARBINARY(64),
    who VARBINARY(190),
    changed_at BIGINT NOT NULL DEFAULT 0,
    PRIMARY KEY (id),
    KEY link_audit_customer (customer, livemode),
    KEY link_audit_user (user_name, changed_at)
) ENGINE = InnoDB ROW_FORMAT = DYNAMIC DEFAULT CHARSET = utf8mb4;

-- 1024 counters; a transaction that changes access adds one to the slots of its users.
CREATE TABLE IF NOT EXISTS epoch (
    slot BIGINT NOT NULL DEFAULT 0,
    v BIGINT NOT NULL DEFAULT 0,
    PRIMARY KEY (slot)
) ENGINE = InnoDB ROW_FORMAT = DYNAMIC DEFAULT CHARSET = utf8mb4;
-- The WHERE keeps the parser from taking the ON of ON DUPLICATE for the join's.
INSERT INTO epoch (slot, v)
SELECT a.n + 4 * b.n + 16 * c.n + 64 * d.n + 256 * e.n, 0
  FROM (SELECT 0 AS n UNION ALL SELECT 1 UNION ALL SELECT 2 UNION ALL SELECT 3) a
  CROSS JOIN (SELECT 0 AS n UNION ALL SELECT 1 UNION ALL SELECT 2 UNION ALL SELECT 3) b
  CROSS JOIN (SELECT 0 AS n UNION ALL SELECT 1 UNION ALL SELECT 2 UNION ALL SELECT 3) c
  CROSS JOIN (SELECT 0 AS n UNION ALL SELECT 1 UNION ALL SELECT 2 UNION ALL SELECT 3) d
  CROSS JOIN (SELECT 0 AS n UNION ALL SELECT 1 UNION ALL SELECT 2 UNION ALL SELECT 3) e
 WHERE 1 = 1
ON DUPLICATE KEY UPDATE slot = VALUES(slot);

-- Keys that all servers of the site share: 32 random bytes as hexadecimal digits.
CREATE TABLE IF NOT EXISTS server_secret (
    name VARBINARY(64) NOT NULL,
    value VARBINARY(64) NOT NULL,
    created_at BIGINT NOT NULL DEFAULT 0,
    PRIMARY KEY (name)
) ENGINE = InnoDB ROW_FORMAT = DYNAMIC DEFAULT CHARSET = utf8mb4;
