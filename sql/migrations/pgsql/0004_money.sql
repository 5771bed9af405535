-- oldest: 1
-- Money beside the invoices, and what customers can pay with and may use: refunds, disputes, the links between
-- invoices and payments, payment methods, active entitlements. Columns of old tables are only added.

-- What Stripe last said of a customer, and when (told_at). gone_at: Stripe deleted it, which is final.
-- entitlements_at: when the rows of entitlement were told.
ALTER TABLE customer ADD COLUMN email TEXT;
ALTER TABLE customer ADD COLUMN name TEXT;
ALTER TABLE customer ADD COLUMN payment_method TEXT COLLATE "C";
ALTER TABLE customer ADD COLUMN told_at BIGINT NOT NULL DEFAULT 0;
ALTER TABLE customer ADD COLUMN gone_at BIGINT NOT NULL DEFAULT 0;
ALTER TABLE customer ADD COLUMN entitlements_at BIGINT NOT NULL DEFAULT 0;

-- 1 while a payment for it is disputed, and for ever when the dispute was lost.
ALTER TABLE subscription ADD COLUMN disputed BIGINT NOT NULL DEFAULT 0;

-- The latest successful charge; what was given back; why it failed. told_at dates the status, intent_at and
-- charge_at what the payment intent and the charge said, charge_refunded is the charge's own sum at charge_at.
ALTER TABLE payment ADD COLUMN charge TEXT COLLATE "C";
ALTER TABLE payment ADD COLUMN refunded BIGINT NOT NULL DEFAULT 0;
ALTER TABLE payment ADD COLUMN failure_code TEXT;
ALTER TABLE payment ADD COLUMN failure_message TEXT;
ALTER TABLE payment ADD COLUMN told_at BIGINT NOT NULL DEFAULT 0;
ALTER TABLE payment ADD COLUMN intent_at BIGINT NOT NULL DEFAULT 0;
ALTER TABLE payment ADD COLUMN charge_at BIGINT NOT NULL DEFAULT 0;
ALTER TABLE payment ADD COLUMN charge_refunded BIGINT NOT NULL DEFAULT 0;
CREATE INDEX invoice_subscription ON invoice (subscription, livemode);

-- In these tables payment is the payment intent, or the charge that was made without one.
CREATE TABLE refund (
    id TEXT COLLATE "C" NOT NULL,
    livemode BIGINT NOT NULL DEFAULT 0,
    payment TEXT COLLATE "C",
    charge TEXT COLLATE "C",
    currency TEXT,
    amount BIGINT NOT NULL DEFAULT 0,
    status TEXT,
    reason TEXT,
    failure_reason TEXT,
    created_at BIGINT NOT NULL DEFAULT 0,
    told_at BIGINT NOT NULL DEFAULT 0,
    source TEXT,
    PRIMARY KEY (id, livemode)
);
CREATE INDEX refund_payment ON refund (payment, livemode);

CREATE TABLE dispute (
    id TEXT COLLATE "C" NOT NULL,
    livemode BIGINT NOT NULL DEFAULT 0,
    payment TEXT COLLATE "C",
    charge TEXT COLLATE "C",
    currency TEXT,
    amount BIGINT NOT NULL DEFAULT 0,
    status TEXT,
    reason TEXT,
    created_at BIGINT NOT NULL DEFAULT 0,
    told_at BIGINT NOT NULL DEFAULT 0,
    source TEXT,
    PRIMARY KEY (id, livemode)
);
CREATE INDEX dispute_payment ON dispute (payment, livemode);

-- Which payment an invoice was paid with. id: Stripe's, where there is one (since 2025-03-31).
CREATE TABLE invoice_payment (
    invoice TEXT COLLATE "C" NOT NULL,
    payment TEXT COLLATE "C" NOT NULL,
    livemode BIGINT NOT NULL DEFAULT 0,
    id TEXT COLLATE "C",
    source TEXT,
    PRIMARY KEY (invoice, payment, livemode)
);
CREATE INDEX invoice_payment_payment ON invoice_payment (payment, livemode);

-- detached_at: cannot be used any more, which is final.
CREATE TABLE payment_method (
    id TEXT COLLATE "C" NOT NULL,
    livemode BIGINT NOT NULL DEFAULT 0,
    customer TEXT COLLATE "C",
    type TEXT,
    brand TEXT,
    last4 TEXT,
    exp_month BIGINT NOT NULL DEFAULT 0,
    exp_year BIGINT NOT NULL DEFAULT 0,
    created_at BIGINT NOT NULL DEFAULT 0,
    detached_at BIGINT NOT NULL DEFAULT 0,
    told_at BIGINT NOT NULL DEFAULT 0,
    source TEXT,
    PRIMARY KEY (id, livemode)
);
CREATE INDEX payment_method_customer ON payment_method (customer, livemode);

-- The whole set of features that a customer may use, as Stripe last told it.
CREATE TABLE entitlement (
    customer TEXT COLLATE "C" NOT NULL,
    lookup_key TEXT COLLATE "C" NOT NULL,
    livemode BIGINT NOT NULL DEFAULT 0,
    feature TEXT COLLATE "C",
    PRIMARY KEY (customer, lookup_key, livemode)
);
