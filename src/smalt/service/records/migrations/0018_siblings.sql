-- A composite that adds children one by one looks up some of their siblings each time, and must not read all of them.

CREATE INDEX jobs_by_node ON jobs (parent_id, node) WHERE parent_id IS NOT NULL;
CREATE INDEX jobs_untold ON jobs (parent_id) WHERE parent_id IS NOT NULL AND end_number IS NULL;
