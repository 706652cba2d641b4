"""The nouns of the command line, one module each, imported when the noun is used.

What several nouns share belongs in `framework`, `output` or `jobs`.
"""
