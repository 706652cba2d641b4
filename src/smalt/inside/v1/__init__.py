"""The names of SDK v1 that jobs import, `azureml.core.Run` and those around it, over MLflow's REST API.

Loaded inside jobs as the package `_smalt_v1`, by path and only when a script imports `azureml`: see `importing`.
"""
