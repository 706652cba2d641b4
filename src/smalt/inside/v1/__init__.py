"""What jobs get of SDK v1: `azureml.core.Run` and the names around it, over MLflow's REST API.

Loaded inside jobs as the package `_smalt_v1`, by path and only when a script asks for `azureml`: see `importing`.
"""
