-- oldest: 1
-- Work to be done later, and what it needs to remember: jobs, where a job that reads Stripe's lists has come
-- to, and how fast all hosts together may ask Stripe.

-- One row per thing to be done; a second wish for the same thing joins the first. A row is deleted when it
-- is done, and stays as 'parked' with its error when trying again is no use.
CREATE TABLE job (
    id TEXT NOT NULL,
    kind TEXT NOT NULL,
    subject TEXT NOT NULL,
    livemode INTEGER NOT NULL DEFAULT 0,
    state TEXT NOT NULL,
    run_at INTEGER NOT NULL DEFAULT 0,
    lease_until INTEGER NOT NULL DEFAULT 0,
    holder TEXT,
    attempts INTEGER NOT NULL DEFAULT 0,
    version INTEGER NOT NULL DEFAULT 0,
    payload TEXT,
    error TEXT,
    created_at INTEGER NOT NULL DEFAULT 0,
    PRIMARY KEY (id)
) WITHOUT ROWID;
CREATE UNIQUE INDEX job_subject ON job (kind, subject, livemode);
CREATE INDEX job_due ON job (livemode, state, run_at);

-- How far a reader of Stripe's lists has come.
CREATE TABLE progress (
    name TEXT NOT NULL,
    livemode INTEGER NOT NULL DEFAULT 0,
    value TEXT,
    reached_at INTEGER NOT NULL DEFAULT 0,
    PRIMARY KEY (name, livemode)
) WITHOUT ROWID;

-- The time up to which the calls to Stripe are spoken for, in milliseconds (GCRA).
CREATE TABLE limiter (
    name TEXT NOT NULL,
    tat INTEGER NOT NULL DEFAULT 0,
    PRIMARY KEY (name)
) WITHOUT ROWID;
INSERT INTO limiter (name, tat) VALUES ('stripe_live', 0), ('stripe_test', 0);
