"""Words of jobs, by kind, where the official SDK has them."""
