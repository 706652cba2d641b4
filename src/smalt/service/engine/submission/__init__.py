"""Acceptance of a job: references looked up and pinned, components expanded, every check made before the first step.

What a type of job needs beyond that belongs to `kinds/`.
"""
