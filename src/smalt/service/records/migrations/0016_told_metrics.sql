CREATE TABLE told_metrics (                      -- values of which a composite was told, as its kind reacts to metrics
  id           INTEGER PRIMARY KEY,              -- in the order in which they were told
  job_id       INTEGER NOT NULL REFERENCES jobs, -- the child whose metric it is
  name         TEXT NOT NULL,
  value        TEXT NOT NULL,                    -- a number, 'nan', 'inf' or '-inf'
  step         INTEGER NOT NULL,
  time         INTEGER NOT NULL,                 -- milliseconds since 1970
  UNIQUE (job_id, name, step, time, value)
);
