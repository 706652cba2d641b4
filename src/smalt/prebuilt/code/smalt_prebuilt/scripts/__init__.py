"""Components of the category Python and R."""
