-- oldest: 1
-- Work to be done later, and what it needs to remember: jobs, where a job that reads Stripe's lists has come
-- to, and how fast all hosts together may ask Stripe.

-- One row per thing to be done; a second wish for the same thing joins the first. A row is deleted when it
-- is done, and stays as 'parked' with its error when trying again is no use.
CREATE TABLE job (
    id TEXT COLLATE "C" NOT NULL,
    kind TEXT NOT NULL,
    subject TEXT COLLATE "C" NOT NULL,
    livemode BIGINT NOT NULL DEFAULT 0,
    state TEXT NOT NULL,
    run_at BIGINT NOT NULL DEFAULT 0,
    lease_until BIGINT NOT NULL DEFAULT 0,
    holder TEXT,
    attempts BIGINT NOT NULL DEFAULT 0,
    version BIGINT NOT NULL DEFAULT 0,
    payload TEXT,
    error TEXT,
    created_at BIGINT NOT NULL DEFAULT 0,
    PRIMARY KEY (id)
);
CREATE UNIQUE INDEX job_subject ON job (kind, subject, livemode);
CREATE INDEX job_due ON job (livemode, state, run_at);

-- How far a reader of Stripe's lists has come.
CREATE TABLE progress (
    name TEXT NOT NULL,
    livemode BIGINT NOT NULL DEFAULT 0,
    value TEXT COLLATE "C",
    reached_at BIGINT NOT NULL DEFAULT 0,
    PRIMARY KEY (name, livemode)
);

-- The time up to which the calls to Stripe are spoken for, in milliseconds (GCRA).
CREATE TABLE limiter (
    name TEXT NOT NULL,
    tat BIGINT NOT NULL DEFAULT 0,
    PRIMARY KEY (name)
);
INSERT INTO limiter (name, tat) VALUES ('stripe_live', 0), ('stripe_test', 0);
