"""Assets on the wire: data, models, environments, code, feature sets, model packages.

Components belong in `jobs`, whose steps they are.
"""
