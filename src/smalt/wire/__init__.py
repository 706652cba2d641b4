"""Entities to Azure ML REST JSON and back; the same functions serve client and server."""
