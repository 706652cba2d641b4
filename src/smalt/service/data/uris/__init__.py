"""Parses the forms in which data is named, and resolves each to a location.

Reading or copying what is there belongs to `datastores`, `cache` and `job_data`.
"""
