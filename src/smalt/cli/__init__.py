"""smalt on the command line: one module per noun."""
