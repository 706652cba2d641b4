"""Keeps built environments on disk, checks that they are intact, and removes those that are of no use.

Installing into them belongs to `builders`.
"""
