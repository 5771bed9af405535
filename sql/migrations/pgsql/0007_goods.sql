-- oldest: 1
-- What users own beside subscriptions: the doors ask for it by its key.

-- One row per thing that was bought, once and for ever. state: owned, or why it is no more (returned).
CREATE TABLE purchase (
    user_name TEXT COLLATE "C" NOT NULL,
    sku TEXT COLLATE "C" NOT NULL,
    livemode BIGINT NOT NULL DEFAULT 0,
    state TEXT NOT NULL,
    changed_at BIGINT NOT NULL DEFAULT 0,
    PRIMARY KEY (user_name, sku, livemode)
);

-- Units left of what is used up.
CREATE TABLE balance (
    user_name TEXT COLLATE "C" NOT NULL,
    meter TEXT COLLATE "C" NOT NULL,
    livemode BIGINT NOT NULL DEFAULT 0,
    units BIGINT NOT NULL DEFAULT 0,
    changed_at BIGINT NOT NULL DEFAULT 0,
    PRIMARY KEY (user_name, meter, livemode)
);
