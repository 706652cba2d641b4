"""Components of the category Model Training."""
