"""Computes as Azure ML describes them, with their settings.

What runs a step on this machine belongs in `smalt.service.compute`.
"""
