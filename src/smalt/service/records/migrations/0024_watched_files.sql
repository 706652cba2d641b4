-- The files that schedules watch, as the last look saw them; and the file that a tick is about.

CREATE TABLE watched_files (
  resource_id INTEGER NOT NULL,         -- of `resources`: a schedule
  path TEXT NOT NULL,                   -- below the datastore
  stamp TEXT NOT NULL,                  -- another one whenever the content is
  PRIMARY KEY (resource_id, path)
) WITHOUT ROWID;

ALTER TABLE ticks ADD COLUMN changed TEXT NOT NULL DEFAULT '';  -- the URI of the file that was added or changed
DROP INDEX ticks_once;
CREATE UNIQUE INDEX ticks_once ON ticks (resource_id, part, cause, time, changed);
