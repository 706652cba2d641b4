"""The records of a home: one SQLite database, its migrations, and one function for each question asked of it.

Decisions belong to the callers; what lies outside the database (folders, datastores, processes) belongs to
other packages.
"""
