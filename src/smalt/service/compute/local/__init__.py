"""The backend that runs steps as processes of this machine, by way of the launcher.

What a container needs besides belongs in `compute/containers`; what every backend shares, one level up.
"""
