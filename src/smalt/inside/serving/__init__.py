"""Programs that answer the requests of an online deployment, in the deployment's own environment.

Each is run by path and listens on a Unix socket, which only the server's user can reach: `script_server.py` runs
Azure's inference server with the user's scoring script, `model_server.py` MLflow's scoring app with an MLflow model.
"""
