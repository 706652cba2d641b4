"""Assets with a name and a version: data, models, environments, code, components, indexes, packages.

What a job does with them belongs in `jobs`; where their bytes lie is the server's business.
"""
