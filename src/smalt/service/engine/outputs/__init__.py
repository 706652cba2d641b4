"""The outputs of a job: where they are, what is in them, and their registration as assets.

The checks that keep registered versions unchanged belong to `versions/`, copying and moving to `service/data`.
"""
