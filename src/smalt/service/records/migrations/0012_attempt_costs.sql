-- What an attempt used of the machine, as the operating system counts it at the end of its processes.

ALTER TABLE job_attempts ADD COLUMN cpu_seconds REAL;
ALTER TABLE job_attempts ADD COLUMN peak_memory INTEGER;     -- bytes of the largest process
