"""The mathematics of sweeps: search spaces, samplers and early termination. It knows neither records nor engine."""
