"""`azureml.pipeline`: pipelines and their steps, which become pipeline jobs of v2."""
