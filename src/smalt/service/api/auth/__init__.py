"""Access: the middleware that authenticates each request, tokens and links, and the routes that a job may call.

Blob storage's own signatures belong to `blob/`; a job's token for MLflow belongs to `service/tracking`.
"""
