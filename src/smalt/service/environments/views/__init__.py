"""Gives each job its own view of an environment: an overlay on a built one, or on the Python of the host.

Building what the view shows belongs to `builders`, containers to `smalt.service.compute`.
"""
