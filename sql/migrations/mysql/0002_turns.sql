-- oldest: 1
-- Rows to lock instead of an object that has no row yet.
CREATE TABLE IF NOT EXISTS turn (
    slot BIGINT NOT NULL,
    PRIMARY KEY (slot)
) ENGINE = InnoDB ROW_FORMAT = DYNAMIC DEFAULT CHARSET = utf8mb4;
INSERT INTO turn (slot) SELECT slot FROM epoch WHERE slot < 256
ON DUPLICATE KEY UPDATE slot = VALUES(slot);
