"""`azureml.data`: datasets, references to data, and outputs."""
