"""Receives the files of clients: blobs in blocks, and many small files in one request.

Storing them by content belongs to `snapshots`.
"""
