"""YAML documents that a person writes in the studio: files of one folder, drafts, their checks and their submission."""
