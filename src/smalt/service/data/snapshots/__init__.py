"""Content-addressed snapshots of folders: scanning, the manifest, the object store, checking out and pruning.

Transferring files of clients belongs to `uploads`.
"""
