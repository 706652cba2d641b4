"""The studio's part of the server: its files, and the sessions of browsers.

Everything else that the pages show comes from the public API and smalt's own routes.
"""
