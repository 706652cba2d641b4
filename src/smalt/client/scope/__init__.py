"""The workspace that a client or a command line means, and why.

Nothing here asks the server for anything but its workspaces.
"""
