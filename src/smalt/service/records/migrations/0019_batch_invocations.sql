-- The invocations of batch endpoints: one row for each, written in the transaction of its job.

CREATE TABLE batch_invocations (
  id           INTEGER PRIMARY KEY,
  workspace_id INTEGER NOT NULL REFERENCES workspaces,
  endpoint     TEXT NOT NULL COLLATE NOCASE,
  deployment   TEXT NOT NULL COLLATE NOCASE,
  job_id       INTEGER NOT NULL,                -- ids are not given twice, so that a deleted job's is nobody's
  job_name     TEXT NOT NULL,
  request_id   TEXT,                            -- the caller's `repeatability_request-id`
  request_hash TEXT NOT NULL,                   -- of what was asked: the same id means the same request
  created_by   TEXT NOT NULL,
  created_at   REAL NOT NULL
);
CREATE UNIQUE INDEX batch_invocations_by_request ON batch_invocations (workspace_id, endpoint, request_id)
  WHERE request_id IS NOT NULL;
CREATE INDEX batch_invocations_by_deployment ON batch_invocations (workspace_id, endpoint, deployment, job_id);
