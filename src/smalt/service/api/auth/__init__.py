"""Who may ask for what: the middleware that checks each request, tokens and links, and what a job may call.

Blob storage's own signatures belong to `blob/`; a job's token for MLflow belongs to `service/tracking`.
"""
