"""The back: one server process per home; the front reaches it by HTTP only.

Its root holds the server's lifecycle and settings; what the server does lies in the rooms below.
"""
