"""Modules that are put into jobs. Standard library only, Python 3.8 or newer.

Everything that runs beside the user's process, but outside of it, belongs in `runner/` or `launcher/`.
"""
