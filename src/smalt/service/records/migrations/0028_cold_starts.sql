-- Why the program of an attempt started cold.

ALTER TABLE job_attempts ADD COLUMN cold_reason TEXT;
