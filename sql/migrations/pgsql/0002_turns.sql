-- oldest: 1
-- Rows to lock instead of an object that has no row yet.
CREATE TABLE turn (
    slot BIGINT NOT NULL,
    PRIMARY KEY (slot)
);
INSERT INTO turn (slot) SELECT i FROM generate_series(0, 255) AS i;
