"""`azureml.train.automl`: AutoML jobs."""
