-- oldest: 1
-- Work to be done later, and what it needs to remember: jobs, where a job that reads Stripe's lists has come
-- to, and how fast all hosts together may ask Stripe.

-- One row per thing to be done; a second wish for the same thing joins the first. A row is deleted when it
-- is done, and stays as 'parked' with its error when trying again is no use.
CREATE TABLE IF NOT EXISTS job (
    id VARBINARY(255) NOT NULL,
    kind VARBINARY(64) NOT NULL,
    subject VARBINARY(255) NOT NULL,
    livemode BIGINT NOT NULL DEFAULT 0,
    state VARBINARY(16) NOT NULL,
    run_at BIGINT NOT NULL DEFAULT 0,
    lease_until BIGINT NOT NULL DEFAULT 0,
    holder VARBINARY(64),
    attempts BIGINT NOT NULL DEFAULT 0,
    version BIGINT NOT NULL DEFAULT 0,
    payload VARBINARY(4000),
    error VARBINARY(1000),
    created_at BIGINT NOT NULL DEFAULT 0,
    PRIMARY KEY (id),
    UNIQUE KEY job_subject (kind, subject, livemode),
    KEY job_due (livemode, state, run_at)
) ENGINE = InnoDB ROW_FORMAT = DYNAMIC DEFAULT CHARSET = utf8mb4;

-- How far a reader of Stripe's lists has come.
CREATE TABLE IF NOT EXISTS progress (
    name VARBINARY(64) NOT NULL,
    livemode BIGINT NOT NULL DEFAULT 0,
    value VARBINARY(255),
    reached_at BIGINT NOT NULL DEFAULT 0,
    PRIMARY KEY (name, livemode)
) ENGINE = InnoDB ROW_FORMAT = DYNAMIC DEFAULT CHARSET = utf8mb4;

-- The time up to which the calls to Stripe are spoken for, in milliseconds (GCRA).
CREATE TABLE IF NOT EXISTS limiter (
    name VARBINARY(64) NOT NULL,
    tat BIGINT NOT NULL DEFAULT 0,
    PRIMARY KEY (name)
) ENGINE = InnoDB ROW_FORMAT = DYNAMIC DEFAULT CHARSET = utf8mb4;
INSERT INTO limiter (name, tat) VALUES ('stripe_live', 0), ('stripe_test', 0)
ON DUPLICATE KEY UPDATE name = VALUES(name);
