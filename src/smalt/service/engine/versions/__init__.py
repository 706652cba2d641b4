"""The content of registered versions: where it is, whether it is unchanged, and its protection from writers.

The rows of versions belong to `service/records`, the registration of a job's outputs to `outputs/`.
"""
