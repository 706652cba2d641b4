-- The outputs to which a job that completed wrote nothing, by name, with a space between two.

ALTER TABLE jobs ADD COLUMN empty_outputs TEXT;
