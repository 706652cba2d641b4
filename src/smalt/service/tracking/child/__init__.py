"""MLflow's server as smalt runs it: a separate process, in MLflow's own Python, which imports nothing of smalt.

Code that runs in smalt's server belongs to `service/tracking`.
"""
