"""Routes that compare jobs, sweeps and the steps of pipelines."""
