"""`azureml.pipeline.steps`: one module per type of step; each makes the step of v2 that seed 2's table names."""
