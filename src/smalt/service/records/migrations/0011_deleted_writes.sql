-- Where deleted jobs wrote at a path that was given: what other jobs had there stays known as written over.

CREATE TABLE deleted_writes (
  place    TEXT PRIMARY KEY,                     -- a real path, or a URL; without a slash at its end
  job      TEXT NOT NULL,                        -- the last deleted job that wrote there
  output   TEXT NOT NULL,
  ended_at REAL NOT NULL
) WITHOUT ROWID;
