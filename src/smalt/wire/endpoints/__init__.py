"""Endpoints and deployments on the wire, batch and online.

The models that they serve belong in `assets`.
"""
