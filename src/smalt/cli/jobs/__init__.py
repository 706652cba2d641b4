"""The work of the verbs of `smalt job`: following, reporting, comparing, debugging.

The declarations of the verbs and their options belong in `commands/job.py`.
"""
