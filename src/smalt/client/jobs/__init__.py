"""The work of `MLClient.jobs` on one job: defaults, checks, steps of an earlier run, events, export.

Requests of other collections do not belong here.
"""
