-- oldest: 1
-- Money beside the invoices, and what customers can pay with and may use: refunds, disputes, the links between
-- invoices and payments, payment methods, active entitlements. Columns of old tables are only added.

-- What Stripe last said of a customer, and when (told_at). gone_at: Stripe deleted it, which is final.
-- entitlements_at: when the rows of entitlement were told.
ALTER TABLE customer ADD COLUMN email TEXT;
ALTER TABLE customer ADD COLUMN name TEXT;
ALTER TABLE customer ADD COLUMN payment_method TEXT;
ALTER TABLE customer ADD COLUMN told_at INTEGER NOT NULL DEFAULT 0;
ALTER TABLE customer ADD COLUMN gone_at INTEGER NOT NULL DEFAULT 0;
ALTER TABLE customer ADD COLUMN entitlements_at INTEGER NOT NULL DEFAULT 0;

-- 1 while a payment for it is disputed, and for ever when the dispute was lost.
ALTER TABLE subscription ADD COLUMN disputed INTEGER NOT NULL DEFAULT 0;

-- The latest successful charge; what was given back; why it failed. told_at dates the status, intent_at and
-- charge_at what the payment intent and the charge said, charge_refunded is the charge's own sum at charge_at.
ALTER TABLE payment ADD COLUMN charge TEXT;
ALTER TABLE payment ADD COLUMN refunded INTEGER NOT NULL DEFAULT 0;
ALTER TABLE payment ADD COLUMN failure_code TEXT;
ALTER TABLE payment ADD COLUMN failure_message TEXT;
ALTER TABLE payment ADD COLUMN told_at INTEGER NOT NULL DEFAULT 0;
ALTER TABLE payment ADD COLUMN intent_at INTEGER NOT NULL DEFAULT 0;
ALTER TABLE payment ADD COLUMN charge_at INTEGER NOT NULL DEFAULT 0;
ALTER TABLE payment ADD COLUMN charge_refunded INTEGER NOT NULL DEFAULT 0;
CREATE INDEX invoice_subscription ON invoice (subscription, livemode);

-- In these tables payment is the payment intent, or the charge that was made without one.
CREATE TABLE refund (
    id TEXT NOT NULL,
    livemode INTEGER NOT NULL DEFAULT 0,
    payment TEXT,
    charge TEXT,
    currency TEXT,
    amount INTEGER NOT NULL DEFAULT 0,
    status TEXT,
    reason TEXT,
    failure_reason TEXT,
    created_at INTEGER NOT NULL DEFAULT 0,
    told_at INTEGER NOT NULL DEFAULT 0,
    source TEXT,
    PRIMARY KEY (id, livemode)
) WITHOUT ROWID;
CREATE INDEX refund_payment ON refund (payment, livemode);

CREATE TABLE dispute (
    id TEXT NOT NULL,
    livemode INTEGER NOT NULL DEFAULT 0,
    payment TEXT,
    charge TEXT,
    currency TEXT,
    amount INTEGER NOT NULL DEFAULT 0,
    status TEXT,
    reason TEXT,
    created_at INTEGER NOT NULL DEFAULT 0,
    told_at INTEGER NOT NULL DEFAULT 0,
    source TEXT,
    PRIMARY KEY (id, livemode)
) WITHOUT ROWID;
CREATE INDEX dispute_payment ON dispute (payment, livemode);

-- Which payment an invoice was paid with. id: Stripe's, where there is one (since 2025-03-31).
CREATE TABLE invoice_payment (
    invoice TEXT NOT NULL,
    payment TEXT NOT NULL,
    livemode INTEGER NOT NULL DEFAULT 0,
    id TEXT,
    source TEXT,
    PRIMARY KEY (invoice, payment, livemode)
) WITHOUT ROWID;
CREATE INDEX invoice_payment_payment ON invoice_payment (payment, livemode);

-- detached_at: cannot be used any more, which is final.
CREATE TABLE payment_method (
    id TEXT NOT NULL,
    livemode INTEGER NOT NULL DEFAULT 0,
    customer TEXT,
    type TEXT,
    brand TEXT,
    last4 TEXT,
    exp_month INTEGER NOT NULL DEFAULT 0,
    exp_year INTEGER NOT NULL DEFAULT 0,
    created_at INTEGER NOT NULL DEFAULT 0,
    detached_at INTEGER NOT NULL DEFAULT 0,
    told_at INTEGER NOT NULL DEFAULT 0,
    source TEXT,
    PRIMARY KEY (id, livemode)
) WITHOUT ROWID;
CREATE INDEX payment_method_customer ON payment_method (customer, livemode);

-- The whole set of features that a customer may use, as Stripe last told it.
CREATE TABLE entitlement (
    customer TEXT NOT NULL,
    lookup_key TEXT NOT NULL,
    livemode INTEGER NOT NULL DEFAULT 0,
    feature TEXT,
    PRIMARY KEY (customer, lookup_key, livemode)
) WITHOUT ROWID;
