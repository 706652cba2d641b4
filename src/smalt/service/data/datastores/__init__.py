"""Datastores: folders of this machine and stores of clouds, behind one interface of listing, reading and writing.

Resolving URIs belongs to `uris`, copies of remote files to `cache`.
"""
