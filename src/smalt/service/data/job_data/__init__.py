"""Prepares inputs before a job starts, by mode and type, and takes its outputs when it has ended.

Resolving their URIs belongs to `uris`.
"""
