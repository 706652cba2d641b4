-- What the references of jobs mean: docs/internals/references.md.

ALTER TABLE job_data ADD COLUMN place TEXT;      -- where it was when the step started: a real path, or a URL

CREATE TABLE job_pins (                          -- of top jobs that name something without its version
  job_id       INTEGER PRIMARY KEY REFERENCES jobs,
  workspace_id INTEGER NOT NULL REFERENCES workspaces,
  pins         TEXT NOT NULL,                    -- JSON {kind: {as written: with its version}}
  created_by   TEXT NOT NULL
);

CREATE TABLE asset_pins (                        -- the same of registered versions
  version_id   INTEGER PRIMARY KEY REFERENCES asset_versions,
  workspace_id INTEGER NOT NULL REFERENCES workspaces,
  pins         TEXT NOT NULL,
  created_by   TEXT NOT NULL
);
