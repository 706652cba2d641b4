-- What had been imported before a program that was started warm, and how many seconds that had taken.

ALTER TABLE job_attempts ADD COLUMN imported_before TEXT;  -- names of modules, separated by ", "
ALTER TABLE job_attempts ADD COLUMN saved_seconds REAL;
