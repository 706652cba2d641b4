-- How the contents that smalt keeps of registered versions were when they were stored: docs/internals/inputs.md.

CREATE TABLE content_stamps (
  place   TEXT PRIMARY KEY,                       -- relative to the home where it lies there
  exact   TEXT NOT NULL,                          -- a hash of names, sizes, times, inodes and modes
  plain   TEXT NOT NULL,                          -- the same without what a copy of the home changes
  entries INTEGER NOT NULL,
  newest  INTEGER NOT NULL                        -- when anything of it had changed last; nanoseconds
) WITHOUT ROWID;
