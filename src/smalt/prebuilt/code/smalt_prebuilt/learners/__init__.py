"""Components of the category Machine Learning Algorithms, and the learners that they stand for."""
