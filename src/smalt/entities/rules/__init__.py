"""Rules that no single key can show: names must exist, values must fit, steps must not wait in a cycle.

A check of one field belongs in its shape; what a noun's fields are belongs in its module.
"""
