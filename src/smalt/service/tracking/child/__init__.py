"""MLflow's server as smalt runs it: a process of its own, in MLflow's own Python, which has nothing of smalt."""
