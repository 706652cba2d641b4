"""Files between this machine and the server: uploads, downloads, snapshots of code, and their hashes and progress.

What the files mean to a job or an asset belongs in `jobs` and `collections`.
"""
