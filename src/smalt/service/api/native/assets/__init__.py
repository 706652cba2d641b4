"""Assets and what they cost: tables, files, users, builds of environments; slots of computes, and the disk."""
