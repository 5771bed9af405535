-- oldest: 1
-- What users own beside subscriptions: the doors ask for it by its key.

-- One row per thing that was bought, once and for ever. state: owned, or why it is no more (returned).
CREATE TABLE purchase (
    user_name TEXT NOT NULL,
    sku TEXT NOT NULL,
    livemode INTEGER NOT NULL DEFAULT 0,
    state TEXT NOT NULL,
    changed_at INTEGER NOT NULL DEFAULT 0,
    PRIMARY KEY (user_name, sku, livemode)
) WITHOUT ROWID;

-- Units left of what is used up.
CREATE TABLE balance (
    user_name TEXT NOT NULL,
    meter TEXT NOT NULL,
    livemode INTEGER NOT NULL DEFAULT 0,
    units INTEGER NOT NULL DEFAULT 0,
    changed_at INTEGER NOT NULL DEFAULT 0,
    PRIMARY KEY (user_name, meter, livemode)
) WITHOUT ROWID;
