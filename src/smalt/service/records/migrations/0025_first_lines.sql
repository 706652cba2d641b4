-- How soon the program of each attempt began, and how it was started.

ALTER TABLE job_attempts ADD COLUMN first_line_seconds REAL;  -- from the step's turn to its program's first line
ALTER TABLE job_attempts ADD COLUMN start_mode TEXT;          -- warm or cold
