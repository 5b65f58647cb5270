-- Books of pairs that move between machines: images of actors/fold/snapshots.py, newest first.
CREATE TABLE snapshots (
    pair text NOT NULL,
    next_offset bigint NOT NULL,
    image bytea NOT NULL,
    taken_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (pair, next_offset)
);
-- A book's image is dense already, and compressing it would cost more than it saves.
ALTER TABLE snapshots ALTER COLUMN image SET STORAGE EXTERNAL;
