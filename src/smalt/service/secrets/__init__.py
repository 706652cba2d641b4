"""Secrets: vaults, encryption at rest, masks for logs, and the variables by which a job reaches its server.

A copy of the database must not reveal any secret. Who may ask for one is decided in `service/api/auth`.
"""
