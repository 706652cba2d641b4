"""The machinery of nouns: fields, shapes, reading and its problems, comparing, dumping, the table of kinds.

A noun itself belongs in the folder of its kind; a rule about several fields belongs in `rules`.
"""
