"""Files of SDK v1: saved environments and run configurations."""
