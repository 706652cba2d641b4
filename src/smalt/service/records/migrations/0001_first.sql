-- Times are seconds since 1970 (REAL). Bodies are JSON as the REST API shows them. No URL of our own is stored.

CREATE TABLE workspaces (
  id             INTEGER PRIMARY KEY,
  key            TEXT NOT NULL UNIQUE,          -- subscription/resource group/name, lower case: they compare without case
  subscription   TEXT NOT NULL,
  resource_group TEXT NOT NULL,
  name           TEXT NOT NULL,
  folder         TEXT NOT NULL UNIQUE,          -- under <home>/workspaces
  body           TEXT NOT NULL DEFAULT '{}',
  created_by     TEXT NOT NULL,
  created_at     REAL NOT NULL
);

CREATE TABLE tokens (
  id           INTEGER PRIMARY KEY,
  workspace_id INTEGER REFERENCES workspaces,   -- NULL: every workspace
  hash         TEXT NOT NULL UNIQUE,            -- SHA-256 of the token; the token itself is not kept
  principal    TEXT NOT NULL,
  scope        TEXT NOT NULL,                   -- 'all', or what it is good for ('job:<name>' …)
  expires_at   REAL,
  created_by   TEXT NOT NULL,
  created_at   REAL NOT NULL
);

CREATE TABLE jobs (
  id               INTEGER PRIMARY KEY,
  workspace_id     INTEGER NOT NULL REFERENCES workspaces,
  name             TEXT NOT NULL,               -- also the id of its tracking run
  parent_id        INTEGER REFERENCES jobs,
  root_id          INTEGER NOT NULL,
  node             TEXT,                        -- its name among its parent's jobs
  type             TEXT NOT NULL,
  status           TEXT NOT NULL,
  waiting          INTEGER NOT NULL DEFAULT 0,  -- how many jobs it still waits for
  open             INTEGER NOT NULL DEFAULT 0,  -- how many of its children are unfinished
  planned          INTEGER NOT NULL DEFAULT 0,  -- its children, if its kind has any, exist
  cancel_requested INTEGER NOT NULL DEFAULT 0,
  is_archived      INTEGER NOT NULL DEFAULT 0,
  experiment       TEXT NOT NULL,
  display_name     TEXT,
  body_hash        TEXT NOT NULL,               -- of the body as submitted: the same PUT again is the same job
  error            TEXT,                        -- JSON {"code", "message"}
  created_by       TEXT NOT NULL,
  created_at       REAL NOT NULL,
  started_at       REAL,
  ended_at         REAL,
  UNIQUE (workspace_id, name)
);
CREATE TABLE job_bodies (                        -- apart, as a row that changes often should be small
  job_id INTEGER PRIMARY KEY REFERENCES jobs,
  body   TEXT NOT NULL
);
CREATE INDEX jobs_by_parent ON jobs (parent_id, id);
CREATE INDEX jobs_by_root ON jobs (root_id);
CREATE INDEX jobs_unfinished ON jobs (status) WHERE ended_at IS NULL;
CREATE INDEX jobs_top ON jobs (workspace_id, id) WHERE parent_id IS NULL;

CREATE TABLE job_needs (                         -- job_id starts after needs_id
  job_id   INTEGER NOT NULL REFERENCES jobs,
  needs_id INTEGER NOT NULL REFERENCES jobs,
  PRIMARY KEY (needs_id, job_id)
) WITHOUT ROWID;

CREATE TABLE job_attempts (
  id            INTEGER PRIMARY KEY,
  workspace_id  INTEGER NOT NULL REFERENCES workspaces,
  job_id        INTEGER NOT NULL REFERENCES jobs,
  number        INTEGER NOT NULL,
  step_id       TEXT NOT NULL UNIQUE,           -- what the compute knows it by
  compute       TEXT NOT NULL,
  host          TEXT,
  boot_id       TEXT,
  pid_namespace TEXT,
  pid           INTEGER,
  start_time    TEXT,
  deadline      REAL,
  started_at    REAL,
  ended_at      REAL,
  exit_code     INTEGER,
  signal        INTEGER,
  reason        TEXT,
  created_by    TEXT NOT NULL,
  created_at    REAL NOT NULL,
  UNIQUE (job_id, number)
);

CREATE TABLE job_data (                          -- lineage: what a job read and wrote
  workspace_id INTEGER NOT NULL REFERENCES workspaces,
  job_id       INTEGER NOT NULL REFERENCES jobs,
  direction    TEXT NOT NULL,                    -- 'input' or 'output'
  name         TEXT NOT NULL,
  type         TEXT NOT NULL,
  mode         TEXT,
  uri          TEXT,
  asset        TEXT,                             -- 'data/n/versions/1', 'models/…' where it is one
  created_by   TEXT NOT NULL,
  PRIMARY KEY (job_id, direction, name)
) WITHOUT ROWID;
CREATE INDEX job_data_by_asset ON job_data (workspace_id, asset) WHERE asset IS NOT NULL;

CREATE TABLE reuse_keys (                        -- the parts of a step's reuse key, to explain a miss part by part
  workspace_id INTEGER NOT NULL REFERENCES workspaces,
  job_id       INTEGER NOT NULL REFERENCES jobs,
  part         TEXT NOT NULL,
  hash         TEXT NOT NULL,
  created_by   TEXT NOT NULL,
  PRIMARY KEY (job_id, part)
) WITHOUT ROWID;
CREATE INDEX reuse_keys_by_hash ON reuse_keys (workspace_id, part, hash);

CREATE TABLE events (                            -- append only, written in the transition's own transaction
  id           INTEGER PRIMARY KEY AUTOINCREMENT,
  workspace_id INTEGER NOT NULL REFERENCES workspaces,
  job_id       INTEGER,
  root_id      INTEGER,
  at           REAL NOT NULL,
  kind         TEXT NOT NULL,                    -- 'status', 'archived', 'asset' …
  data         TEXT NOT NULL,                    -- JSON; for 'status' the new status alone
  created_by   TEXT NOT NULL
);
CREATE INDEX events_by_root ON events (root_id, id) WHERE root_id IS NOT NULL;

CREATE TABLE assets (                            -- containers of versions
  id           INTEGER PRIMARY KEY,
  workspace_id INTEGER NOT NULL REFERENCES workspaces,
  kind         TEXT NOT NULL,                    -- 'components', 'environments', 'data', 'models', 'codes'
  name         TEXT NOT NULL,
  body         TEXT NOT NULL DEFAULT '{}',
  is_archived  INTEGER NOT NULL DEFAULT 0,
  is_anonymous INTEGER NOT NULL DEFAULT 0,
  created_by   TEXT NOT NULL,
  created_at   REAL NOT NULL,
  UNIQUE (workspace_id, kind, name)
);

CREATE TABLE asset_versions (
  id           INTEGER PRIMARY KEY,
  workspace_id INTEGER NOT NULL REFERENCES workspaces,
  asset_id     INTEGER NOT NULL REFERENCES assets,
  version      TEXT NOT NULL,
  body         TEXT NOT NULL,
  content_hash TEXT,
  is_archived  INTEGER NOT NULL DEFAULT 0,
  created_by   TEXT NOT NULL,
  created_at   REAL NOT NULL,
  modified_at  REAL NOT NULL,
  UNIQUE (asset_id, version)
);
CREATE INDEX asset_versions_by_hash ON asset_versions (workspace_id, content_hash) WHERE content_hash IS NOT NULL;

CREATE TABLE resources (                         -- named and unversioned: computes, datastores, schedules, endpoints …
  id           INTEGER PRIMARY KEY,
  workspace_id INTEGER NOT NULL REFERENCES workspaces,
  kind         TEXT NOT NULL,
  name         TEXT NOT NULL,
  body         TEXT NOT NULL,
  created_by   TEXT NOT NULL,
  created_at   REAL NOT NULL,
  modified_at  REAL NOT NULL,
  UNIQUE (workspace_id, kind, name)
);

CREATE TABLE built_environments (
  id            INTEGER PRIMARY KEY,
  workspace_id  INTEGER NOT NULL REFERENCES workspaces,
  job_id        INTEGER,                         -- the job that asked first
  declared_hash TEXT NOT NULL,                   -- finds the built one
  realised_hash TEXT NOT NULL,                   -- of what was installed; enters the reuse key
  last_used_at  REAL NOT NULL,
  created_by    TEXT NOT NULL,
  created_at    REAL NOT NULL,
  UNIQUE (workspace_id, declared_hash)
);

CREATE TABLE filler (content BLOB);              -- always empty; see Database.widen
