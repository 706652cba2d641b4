-- When schedules have their next ticks, and the ticks that they had.

CREATE TABLE schedules (
  resource_id INTEGER NOT NULL,         -- of `resources`: a schedule, or a compute with schedules
  part INTEGER NOT NULL DEFAULT 0,      -- which of a compute's schedules
  workspace_id INTEGER NOT NULL,
  anchor REAL NOT NULL,                 -- the start of a recurrence that has no start_time
  trigger_hash TEXT NOT NULL,           -- of the trigger and the state for which next_time was worked out
  next_time REAL,                       -- NULL: there is no further tick
  PRIMARY KEY (resource_id, part)
);
CREATE INDEX schedules_due ON schedules (next_time) WHERE next_time IS NOT NULL;

CREATE TABLE ticks (
  id INTEGER PRIMARY KEY,
  workspace_id INTEGER NOT NULL,
  resource_id INTEGER NOT NULL,
  part INTEGER NOT NULL DEFAULT 0,
  cause TEXT NOT NULL,                  -- trigger | request
  time REAL NOT NULL,                   -- when it was due
  last_time REAL,                       -- of the last of several that were skipped together
  count INTEGER NOT NULL DEFAULT 1,     -- how many it stands for
  status TEXT NOT NULL,                 -- due | fired | skipped | failed
  job TEXT,                             -- the name of its job, chosen before the job is made
  reason TEXT,
  settled_at REAL,
  principal TEXT NOT NULL
);
CREATE UNIQUE INDEX ticks_once ON ticks (resource_id, part, cause, time);
CREATE INDEX ticks_due ON ticks (id) WHERE status='due';
