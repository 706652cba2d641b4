-- Names of deleted jobs whose runs in MLflow are still to be removed: docs/internals/tracking.md.

CREATE TABLE tracked_gone (
  workspace_id INTEGER NOT NULL REFERENCES workspaces,
  name         TEXT NOT NULL,
  created_at   REAL NOT NULL,
  PRIMARY KEY (workspace_id, name)
) WITHOUT ROWID;
