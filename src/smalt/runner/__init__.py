"""Programs between a backend and the user's command: the bash text of a step, and those that run beside its process.

Standard library only, Python 3.8 or newer. Anything that runs inside the user's process belongs in `inside/`.
"""
