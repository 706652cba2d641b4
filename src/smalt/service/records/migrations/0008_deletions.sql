-- Deleted jobs: docs/internals/folders.md.

CREATE TABLE last_job (                          -- one row; an id means the same job for ever, so no new job gets an old one
  id INTEGER NOT NULL                            -- no deleted job has a higher one
);
INSERT INTO last_job SELECT max(coalesce((SELECT max(id) FROM jobs), 0), coalesce((SELECT max(job_id) FROM events), 0));

CREATE TABLE deletions (                         -- of top jobs whose files are not all removed yet
  job_id       INTEGER PRIMARY KEY,
  workspace_id INTEGER NOT NULL REFERENCES workspaces,
  folders      TEXT NOT NULL,                    -- JSON: what goes, below the workspace's folder
  names        TEXT NOT NULL,                    -- JSON: the job, and all that were below it
  kept         TEXT NOT NULL,                    -- JSON: those of them whose artifacts stay
  is_aside     INTEGER NOT NULL DEFAULT 0,       -- nothing of it is found by its old name any more
  created_by   TEXT NOT NULL,
  created_at   REAL NOT NULL
);
