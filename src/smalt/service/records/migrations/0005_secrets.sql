CREATE TABLE secrets (                           -- versions of the secrets of workspaces' vaults
  id           INTEGER PRIMARY KEY,
  workspace_id INTEGER NOT NULL REFERENCES workspaces,
  name         TEXT NOT NULL COLLATE NOCASE,
  version      TEXT NOT NULL,
  sealed       TEXT NOT NULL,                    -- the value, encrypted with a key of the home
  body         TEXT NOT NULL,                    -- JSON: contentType, tags, enabled, nbf, exp
  created_by   TEXT NOT NULL,
  created_at   REAL NOT NULL,
  modified_at  REAL NOT NULL,
  deleted_at   REAL,                             -- of all versions of a deleted secret, which may be recovered
  UNIQUE (workspace_id, name, version)
);
