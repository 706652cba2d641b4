"""The warm parent: an interpreter of a job's environment that has imported packages, and forks a child for each step.

`site/sitecustomize.py` calls `parent.serve` in a Python that the launcher started for this; it returns only in a
step's program, with no frame left below it. Nothing here is imported in any other Python.
docs/internals/warm-starts.md has the reasons.
"""
