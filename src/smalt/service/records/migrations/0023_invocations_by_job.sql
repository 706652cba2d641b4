-- A job is asked for the invocation that made it.

CREATE INDEX batch_invocations_by_job ON batch_invocations (job_id);
