"""Credentials, secrets, services, links and libraries."""
