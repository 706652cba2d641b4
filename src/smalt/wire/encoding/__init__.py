"""Encoding of every noun as JSON: codecs and rules, keys and casing, envelopes, ids, references.

Rules for one noun alone belong in the folder of its kind.
"""
