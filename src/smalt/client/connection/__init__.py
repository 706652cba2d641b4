"""HTTP to the server: requests, retries, starting the local server, and errors as exceptions.

Nothing here knows an entity or a collection.
"""
