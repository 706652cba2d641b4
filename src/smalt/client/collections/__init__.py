"""One module per collection of `MLClient`, named as the property is.

Files move in `transfers`, and what only jobs need belongs in `jobs`.
"""
