"""Components of the category Data Input and Output."""
