"""Steps of control flow: their jobs, what these mean for readers of outputs, and the three kinds."""
