-- The slots that an attempt holds: a restarted server must not give its GPUs away again.

ALTER TABLE job_attempts ADD COLUMN cpus INTEGER NOT NULL DEFAULT 1;
ALTER TABLE job_attempts ADD COLUMN gpus TEXT NOT NULL DEFAULT '';   -- their indices, with commas between
