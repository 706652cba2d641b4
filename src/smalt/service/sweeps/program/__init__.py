"""The program that proposes points in a Python with Optuna or cmaes; it imports nothing of smalt."""
