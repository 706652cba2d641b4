"""How results look on standard output: formats, tables, trees, curves and colours. Nothing here asks a server."""
