"""Components of the category Data Transformation."""
