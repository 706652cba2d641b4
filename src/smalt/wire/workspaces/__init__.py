"""Workspaces and what belongs to one on the wire: computes, connections, datastores, schedules, registries.

Versioned assets belong in `assets`.
"""
