"""The collections of `MLClient`, one module each, named as the property is.

Files move in `transfers`, and what only jobs need belongs in `jobs`.
"""
