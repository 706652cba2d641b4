"""Jobs: one module per job type, with its job, its step and its component, and the parts that jobs share.

How steps are called and bound to each other belongs in `steps`; checks across fields belong in `rules`.
"""
