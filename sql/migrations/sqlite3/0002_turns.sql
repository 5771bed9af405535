-- oldest: 1
-- Rows to lock instead of an object that has no row yet.
CREATE TABLE turn (
    slot INTEGER NOT NULL,
    PRIMARY KEY (slot)
) WITHOUT ROWID;
INSERT INTO turn (slot)
  WITH RECURSIVE n(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i < 255)
  SELECT i FROM n;
