"""Workspaces and what belongs to one: connections, datastores, identities, feature stores, registries.

Assets that a workspace holds belong in `assets`; its computes belong in `computes`.
"""
