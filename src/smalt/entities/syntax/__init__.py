"""The small languages inside texts: references and URIs, `${{…}}`, literal values, durations, states.

Each parses and prints text and knows no noun; shapes that use them belong in `schema` or beside their noun.
"""
