"""The HTTP API: the application, its router, the request that handlers get, and what all protocols share.

Routes lie in the folder of their protocol: `arm/` (Azure's resources and run history), `blob/` (blob storage),
`key_vault.py`, and smalt's own in `native/`, `job_details/` and `comparison/`; `auth/` decides who may ask. What a
request does belongs to the rooms below.
"""
