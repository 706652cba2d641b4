"""Resolves what a job declares (a curated name, a conda file, an image, a build context) to a plan of what is built.

Nothing is installed or started here; building is the business of `builders`.
"""
