-- Which steps of pipelines can be reused, and by which: docs/internals/reuse.md.

CREATE TABLE reuse_steps (                       -- steps of pipelines that were started, or have an earlier one's outputs
  job_id       INTEGER PRIMARY KEY REFERENCES jobs,
  workspace_id INTEGER NOT NULL REFERENCES workspaces,
  root_id      INTEGER NOT NULL,
  partial      TEXT NOT NULL,                    -- hash of the parts, without the contents of inputs
  parts        TEXT NOT NULL,                    -- these parts, JSON
  key          TEXT,                             -- hash of all; NULL until the contents were looked at
  contents     TEXT,                             -- JSON {"inputs": {name: content id}, "outputs": …}
  unfit        TEXT,                             -- why no later step can have its outputs
  reason       TEXT,                             -- why it ran though it might have been reused
  of_id        INTEGER,                          -- the job whose outputs it has, which may have been deleted
  of_name      TEXT,
  created_by   TEXT NOT NULL
);
CREATE INDEX reuse_steps_by_partial ON reuse_steps (workspace_id, partial, root_id) WHERE of_id IS NULL;
CREATE INDEX reuse_steps_by_key ON reuse_steps (workspace_id, key) WHERE key IS NOT NULL AND of_id IS NULL;
CREATE INDEX reuse_steps_by_origin ON reuse_steps (of_id) WHERE of_id IS NOT NULL;

CREATE TABLE reuse_places (                      -- where outputs are that a pipeline planned elsewhere
  root_id      INTEGER NOT NULL REFERENCES jobs,
  planned      TEXT NOT NULL,
  place        TEXT NOT NULL,
  workspace_id INTEGER NOT NULL REFERENCES workspaces,
  job_id       INTEGER NOT NULL REFERENCES jobs,
  created_by   TEXT NOT NULL,
  PRIMARY KEY (root_id, planned)
) WITHOUT ROWID;

-- Caches of the home: what is deleted here is found again, or only less is told.
CREATE TABLE seen_contents (                     -- what was at a path when it was last read
  path    TEXT PRIMARY KEY,
  stamp   TEXT NOT NULL,                         -- of names, sizes and times; '' where it was too young to tell
  content TEXT NOT NULL,                         -- content id; '' where there was nothing
  files   INTEGER NOT NULL,
  bytes   INTEGER NOT NULL
) WITHOUT ROWID;
CREATE TABLE seen_manifests (content TEXT PRIMARY KEY, manifest BLOB NOT NULL) WITHOUT ROWID;
CREATE TABLE seen_environments (realised_hash TEXT PRIMARY KEY, packages TEXT NOT NULL) WITHOUT ROWID;
