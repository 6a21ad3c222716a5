-- The embedded store's tables, version 2. Keys and numbers as in the log protocol; ids are sixteen big-endian bytes.

CREATE TABLE cluster (
    one           INTEGER PRIMARY KEY CHECK (one = 1),
    shards        INTEGER NOT NULL,
    serial_domain TEXT,                      -- null: SERIAL; else the data centre of LOCAL_SERIAL
    feature_level INTEGER NOT NULL
) STRICT;

CREATE TABLE shards (
    shard      INTEGER PRIMARY KEY,
    epoch      INTEGER NOT NULL,
    owner      TEXT    NOT NULL,             -- a hint
    tail_epoch INTEGER NOT NULL,             -- a hint
    tail_k     INTEGER NOT NULL,
    low_epoch  INTEGER NOT NULL,
    low_k      INTEGER NOT NULL
) STRICT;

-- The static parts. Kept for ever. All open segments tend to share a page or two, so that one commit of many shards
-- dirties few pages.
CREATE TABLE segments (
    id         INTEGER PRIMARY KEY,
    shard      INTEGER NOT NULL,
    epoch      INTEGER NOT NULL,
    k          INTEGER NOT NULL,
    writer     BLOB    NOT NULL,
    next_n     INTEGER NOT NULL,
    last_hash  BLOB    NOT NULL,
    sealed_by  BLOB,
    next_epoch INTEGER,
    next_k     INTEGER,
    UNIQUE (shard, epoch, k),
    CHECK ((sealed_by IS NULL) = (next_epoch IS NULL) AND (sealed_by IS NULL) = (next_k IS NULL))
) STRICT;

-- One row is one commit of a shard. The key is segments.id * 2^32 + n: rows of a segment lie side by side without a second
-- index, and a payload of any size costs no more than its own pages (WITHOUT ROWID is for rows far below a page).
CREATE TABLE log_rows (
    at      INTEGER PRIMARY KEY,
    crc     INTEGER NOT NULL,
    payload BLOB    NOT NULL
) STRICT;

CREATE TABLE hands (
    table_id BLOB    NOT NULL,
    hand_no  INTEGER NOT NULL,
    ended_ms INTEGER NOT NULL,
    players  BLOB    NOT NULL,               -- sixteen bytes each
    body     BLOB    NOT NULL,
    PRIMARY KEY (table_id, hand_no)
) STRICT;

-- Since version 2: hands are forgotten by age.
CREATE INDEX hands_by_time ON hands (ended_ms);

CREATE TABLE hands_of_players (
    player   BLOB    NOT NULL,
    ended_ms INTEGER NOT NULL,
    table_id BLOB    NOT NULL,
    hand_no  INTEGER NOT NULL,
    PRIMARY KEY (player, ended_ms, table_id, hand_no)
) STRICT, WITHOUT ROWID;

CREATE TABLE sessions (
    token_hash   BLOB PRIMARY KEY,
    player       BLOB    NOT NULL,
    display_name TEXT    NOT NULL,
    created_ms   INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
