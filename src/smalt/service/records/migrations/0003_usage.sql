CREATE TABLE usage (                             -- what a job's processes used of the machine, sampled while it ran
  job_id     INTEGER NOT NULL REFERENCES jobs,
  at         REAL NOT NULL,
  cpu        REAL NOT NULL,                      -- cores that were busy, on average since the sample before
  memory     INTEGER NOT NULL,                   -- bytes
  gpu        REAL,                               -- GPUs that were busy; NULL where the job has none
  gpu_memory INTEGER,                            -- bytes
  PRIMARY KEY (job_id, at)
) WITHOUT ROWID;
