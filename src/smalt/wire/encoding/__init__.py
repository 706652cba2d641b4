"""How every noun crosses to JSON: codecs and rules, keys and casing, envelopes, ids, references.

What one noun has otherwise on the wire belongs in the folder of its kind.
"""
