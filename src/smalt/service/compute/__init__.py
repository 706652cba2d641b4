"""Where a process runs: one module per backend behind one small protocol."""
