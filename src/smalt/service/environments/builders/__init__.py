"""Installs packages: virtual environments by uv, conda prefixes by rattler, and what both need to know of this machine.

Reading declarations belongs to `resolution`, keeping the results to `store`.
"""
