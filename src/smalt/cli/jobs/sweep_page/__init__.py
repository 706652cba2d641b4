"""A sweep as one HTML file, which loads nothing from elsewhere."""
