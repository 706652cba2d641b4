"""Rules that no single key can show: names must exist, values must fit, steps must not wait in a circle."""
