"""`azureml.train.hyperdrive`: sweeps."""
