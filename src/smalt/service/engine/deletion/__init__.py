"""Removal of jobs and workspaces, and the checks that nothing else refers to what would go.

Removal of datastores' blobs and of assets belongs to `service/api` and `service/data`.
"""
