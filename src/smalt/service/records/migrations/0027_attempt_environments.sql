-- The environment that an attempt runs in: it stays while that is so, and a restarted server watches it for changes.

ALTER TABLE job_attempts ADD COLUMN environment TEXT;  -- its folder below environments/, or 'host'
