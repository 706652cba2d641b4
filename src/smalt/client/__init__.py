"""The lean client of the REST API: one module per collection over one connection."""
