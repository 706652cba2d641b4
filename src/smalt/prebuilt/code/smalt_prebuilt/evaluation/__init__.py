"""Components of the category Model Scoring and Evaluation."""
