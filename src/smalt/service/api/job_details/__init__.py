"""Routes that the page of a job asks beside its graph: code, logs, progress, environment, document."""
