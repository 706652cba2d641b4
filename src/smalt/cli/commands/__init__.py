"""One module per noun of the command line, each imported when its noun is used.

What several nouns share belongs in `framework`, `output` or `jobs`.
"""
