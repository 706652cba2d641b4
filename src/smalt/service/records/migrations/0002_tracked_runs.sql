CREATE TABLE tracked_runs (                      -- the jobs whose run exists in the tracking store
  job_id       INTEGER PRIMARY KEY REFERENCES jobs,
  workspace_id INTEGER NOT NULL REFERENCES workspaces,
  status       TEXT NOT NULL,                    -- the job's, as last written to the run
  created_by   TEXT NOT NULL,
  created_at   REAL NOT NULL
);
CREATE INDEX tracked_runs_open ON tracked_runs (workspace_id) WHERE status NOT IN ('Completed', 'Failed', 'Canceled');
