-- oldest: 1
-- Money beside the invoices, and what customers can pay with and may use: refunds, disputes, the links between
-- invoices and payments, payment methods, active entitlements. Columns of old tables are only added.

-- What Stripe last said of a customer, and when (told_at). gone_at: Stripe deleted it, which is final.
-- entitlements_at: when the rows of entitlement were told.
ALTER TABLE customer ADD COLUMN email VARBINARY(5000),
    ADD COLUMN name VARBINARY(5000),
    ADD COLUMN payment_method VARBINARY(255),
    ADD COLUMN told_at BIGINT NOT NULL DEFAULT 0,
    ADD COLUMN gone_at BIGINT NOT NULL DEFAULT 0,
    ADD COLUMN entitlements_at BIGINT NOT NULL DEFAULT 0;

-- 1 while a payment for it is disputed, and for ever when the dispute was lost.
ALTER TABLE subscription ADD COLUMN disputed BIGINT NOT NULL DEFAULT 0;

-- The latest successful charge; what was given back; why it failed. told_at dates the status, intent_at and
-- charge_at what the payment intent and the charge said, charge_refunded is the charge's own sum at charge_at.
ALTER TABLE payment ADD COLUMN charge VARBINARY(255),
    ADD COLUMN refunded BIGINT NOT NULL DEFAULT 0,
    ADD COLUMN failure_code VARBINARY(64),
    ADD COLUMN failure_message VARBINARY(5000),
    ADD COLUMN told_at BIGINT NOT NULL DEFAULT 0,
    ADD COLUMN intent_at BIGINT NOT NULL DEFAULT 0,
    ADD COLUMN charge_at BIGINT NOT NULL DEFAULT 0,
    ADD COLUMN charge_refunded BIGINT NOT NULL DEFAULT 0;
ALTER TABLE invoice ADD KEY invoice_subscription (subscription, livemode);

-- In these tables payment is the payment intent, or the charge that was made without one.
CREATE TABLE IF NOT EXISTS refund (
    id VARBINARY(255) NOT NULL,
    livemode BIGINT NOT NULL DEFAULT 0,
    payment VARBINARY(255),
    charge VARBINARY(255),
    currency VARBINARY(64),
    amount BIGINT NOT NULL DEFAULT 0,
    status VARBINARY(64),
    reason VARBINARY(64),
    failure_reason VARBINARY(64),
    created_at BIGINT NOT NULL DEFAULT 0,
    told_at BIGINT NOT NULL DEFAULT 0,
    source VARBINARY(64),
    PRIMARY KEY (id, livemode),
    KEY refund_payment (payment, livemode)
) ENGINE = InnoDB ROW_FORMAT = DYNAMIC DEFAULT CHARSET = utf8mb4;

CREATE TABLE IF NOT EXISTS dispute (
    id VARBINARY(255) NOT NULL,
    livemode BIGINT NOT NULL DEFAULT 0,
    payment VARBINARY(255),
    charge VARBINARY(255),
    currency VARBINARY(64),
    amount BIGINT NOT NULL DEFAULT 0,
    status VARBINARY(64),
    reason VARBINARY(64),
    created_at BIGINT NOT NULL DEFAULT 0,
    told_at BIGINT NOT NULL DEFAULT 0,
    source VARBINARY(64),
    PRIMARY KEY (id, livemode),
    KEY dispute_payment (payment, livemode)
) ENGINE = InnoDB ROW_FORMAT = DYNAMIC DEFAULT CHARSET = utf8mb4;

-- Which payment an invoice was paid with. id: Stripe's, where there is one (since 2025-03-31).
CREATE TABLE IF NOT EXISTS invoice_payment (
    invoice VARBINARY(255) NOT NULL,
    payment VARBINARY(255) NOT NULL,
    livemode BIGINT NOT NULL DEFAULT 0,
    id VARBINARY(255),
    source VARBINARY(64),
    PRIMARY KEY (invoice, payment, livemode),
    KEY invoice_payment_payment (payment, livemode)
) ENGINE = InnoDB ROW_FORMAT = DYNAMIC DEFAULT CHARSET = utf8mb4;

-- detached_at: cannot be used any more, which is final.
CREATE TABLE IF NOT EXISTS payment_method (
    id VARBINARY(255) NOT NULL,
    livemode BIGINT NOT NULL DEFAULT 0,
    customer VARBINARY(255),
    type VARBINARY(64),
    brand VARBINARY(64),
    last4 VARBINARY(64),
    exp_month BIGINT NOT NULL DEFAULT 0,
    exp_year BIGINT NOT NULL DEFAULT 0,
    created_at BIGINT NOT NULL DEFAULT 0,
    detached_at BIGINT NOT NULL DEFAULT 0,
    told_at BIGINT NOT NULL DEFAULT 0,
    source VARBINARY(64),
    PRIMARY KEY (id, livemode),
    KEY payment_method_customer (customer, livemode)
) ENGINE = InnoDB ROW_FORMAT = DYNAMIC DEFAULT CHARSET = utf8mb4;

-- The whole set of features that a customer may use, as Stripe last told it.
CREATE TABLE IF NOT EXISTS entitlement (
    customer VARBINARY(255) NOT NULL,
    lookup_key VARBINARY(255) NOT NULL,
    livemode BIGINT NOT NULL DEFAULT 0,
    feature VARBINARY(255),
    PRIMARY KEY (customer, lookup_key, livemode)
) ENGINE = InnoDB ROW_FORMAT = DYNAMIC DEFAULT CHARSET = utf8mb4;
