-- The log that rows, positions and snapshots belong to; the newest epoch is the one in use.
CREATE TABLE log_epochs (
    epoch integer PRIMARY KEY,
    name text NOT NULL UNIQUE,
    cluster_id text NOT NULL,
    -- Kafka's id of each topic, by name: a topic that is made again has another.
    topic_ids jsonb NOT NULL,
    begun_at timestamptz NOT NULL DEFAULT now()
);

-- The oldest snapshot of a later epoch is the state in which its log begins.
ALTER TABLE snapshots ADD COLUMN epoch integer NOT NULL DEFAULT 1;
ALTER TABLE snapshots DROP CONSTRAINT snapshots_pkey;
ALTER TABLE snapshots ADD PRIMARY KEY (pair, epoch, next_offset);
