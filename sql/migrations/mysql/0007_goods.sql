-- oldest: 1
-- What users own beside subscriptions: the doors ask for it by its key.

-- One row per thing that was bought, once and for ever. state: owned, or why it is no more (returned).
CREATE TABLE IF NOT EXISTS purchase (
    user_name VARBINARY(190) NOT NULL,
    sku VARBINARY(128) NOT NULL,
    livemode BIGINT NOT NULL DEFAULT 0,
    state VARBINARY(16) NOT NULL,
    changed_at BIGINT NOT NULL DEFAULT 0,
    PRIMARY KEY (user_name, sku, livemode)
) ENGINE = InnoDB ROW_FORMAT = DYNAMIC DEFAULT CHARSET = utf8mb4;

-- Units left of what is used up.
CREATE TABLE IF NOT EXISTS balance (
    user_name VARBINARY(190) NOT NULL,
    meter VARBINARY(128) NOT NULL,
    livemode BIGINT NOT NULL DEFAULT 0,
    units BIGINT NOT NULL DEFAULT 0,
    changed_at BIGINT NOT NULL DEFAULT 0,
    PRIMARY KEY (user_name, meter, livemode)
) ENGINE = InnoDB ROW_FORMAT = DYNAMIC DEFAULT CHARSET = utf8mb4;
