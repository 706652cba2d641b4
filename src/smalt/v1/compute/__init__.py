"""`azureml.core.compute`: computes, which are names for this machine."""
