-- Lists of jobs are chosen by the database. Only top jobs are listed, so steps cost nothing here.

CREATE INDEX jobs_by_status ON jobs (workspace_id, status, id) WHERE parent_id IS NULL;
CREATE INDEX jobs_by_experiment ON jobs (workspace_id, experiment, id) WHERE parent_id IS NULL;
CREATE INDEX jobs_archived ON jobs (workspace_id, id) WHERE parent_id IS NULL AND is_archived=1;

CREATE TABLE job_tags (                          -- of top jobs; the same as in their bodies
  workspace_id INTEGER NOT NULL REFERENCES workspaces,
  key          TEXT NOT NULL,
  job_id       INTEGER NOT NULL REFERENCES jobs,
  value        TEXT NOT NULL,
  PRIMARY KEY (workspace_id, key, job_id)
) WITHOUT ROWID;
CREATE INDEX job_tags_by_value ON job_tags (workspace_id, key, value, job_id);
CREATE INDEX job_tags_by_job ON job_tags (job_id);

INSERT INTO job_tags (workspace_id, key, job_id, value)
  SELECT j.workspace_id, t.key, j.id, coalesce(t.value, 'None')
  FROM jobs j JOIN job_bodies b ON b.job_id = j.id, json_each(b.body, '$.tags') t
  WHERE j.parent_id IS NULL AND json_type(b.body, '$.tags') = 'object';
