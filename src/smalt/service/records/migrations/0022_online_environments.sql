-- The built environment that a revision's processes run in, which is kept while they may be started again.

ALTER TABLE online_revisions ADD COLUMN environment TEXT;
