-- oldest: 1
-- When an event arrived within its second (received_at), in microseconds: the order in which the tables are
-- rebuilt. 0: stored by an earlier version.
ALTER TABLE event ADD COLUMN arrival BIGINT NOT NULL DEFAULT 0;
