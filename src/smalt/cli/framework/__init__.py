"""The parts of every command: declarations, options, arguments, documents, edits and failures.

Nothing here knows a noun or prints a result.
"""
