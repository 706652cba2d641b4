"""Keeps local copies of files of the web and of remote datastores, and the leases of the jobs that read them.

Reaching a remote datastore belongs to `datastores`.
"""
