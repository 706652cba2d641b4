"""The nouns a user writes: one module per noun; plain data, no I/O."""
