-- What a composite job (a pipeline, a loop) remembers between two of its children.

ALTER TABLE jobs ADD COLUMN is_composite INTEGER NOT NULL DEFAULT 0;  -- it makes child jobs, and no process of its own
ALTER TABLE jobs ADD COLUMN state TEXT;                               -- JSON, written with the children that follow from it
ALTER TABLE jobs ADD COLUMN ends INTEGER NOT NULL DEFAULT 0;          -- how many ends of children it was told
ALTER TABLE jobs ADD COLUMN end_number INTEGER;                       -- which of these ends was this job's; NULL: not told yet

UPDATE jobs SET is_composite=1 WHERE type='pipeline';
UPDATE jobs SET end_number=id WHERE parent_id IS NOT NULL AND ended_at IS NOT NULL;
UPDATE jobs SET ends=(SELECT coalesce(max(id), 0) FROM jobs) WHERE is_composite=1 AND ended_at IS NULL;
