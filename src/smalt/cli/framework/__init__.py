"""What every command is built from: declarations, options, arguments, documents, edits and failures.

Nothing here knows a noun or prints a result.
"""
