"""Azure's blob storage protocol: its operations, URLs, XML, and the signatures by which storage clients log in.

The folders in which blobs lie belong to `service/data`; smalt's own file routes belong to `native/`.
"""
