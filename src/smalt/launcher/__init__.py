"""The parent of all local steps of a home; outlives the server. Standard library only."""
