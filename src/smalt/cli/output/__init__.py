"""The appearance of results on standard output: formats, tables, trees, curves and colours.

Nothing here sends a request.
"""
