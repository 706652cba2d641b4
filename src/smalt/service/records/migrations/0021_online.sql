-- Online endpoints: their keys, each content of a deployment that was to serve, and the processes that serve.

CREATE TABLE online_keys (
  workspace_id INTEGER NOT NULL REFERENCES workspaces,
  endpoint     TEXT NOT NULL,                    -- as its resource is named
  name         TEXT NOT NULL,                    -- 'Primary' or 'Secondary'
  salt         TEXT NOT NULL,                    -- the key is made of it with a secret of the home
  PRIMARY KEY (workspace_id, endpoint, name)
) WITHOUT ROWID;

CREATE TABLE online_revisions (
  id           INTEGER PRIMARY KEY AUTOINCREMENT,
  workspace_id INTEGER NOT NULL REFERENCES workspaces,
  endpoint     TEXT NOT NULL,
  deployment   TEXT NOT NULL,
  body         TEXT NOT NULL,                    -- JSON: everything that its processes need, with versions pinned
  state        TEXT NOT NULL,                    -- 'Creating', 'Succeeded', 'Failed'
  error        TEXT,
  created_at   REAL NOT NULL,
  ended_at     REAL
);
CREATE INDEX online_revisions_by_deployment ON online_revisions (workspace_id, endpoint, deployment, id);

CREATE TABLE online_replicas (
  id           INTEGER PRIMARY KEY AUTOINCREMENT, -- never used twice: the launcher knows the process by it
  revision_id  INTEGER NOT NULL REFERENCES online_revisions,
  address      TEXT NOT NULL,                     -- of a Unix socket, or 'host:port'
  folder       TEXT NOT NULL,
  created_at   REAL NOT NULL
);
CREATE INDEX online_replicas_by_revision ON online_replicas (revision_id);
