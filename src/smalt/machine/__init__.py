"""Facts about this machine that client, server and launcher share: the home, processes, files, certificates, memory.

Nothing here knows a job or an asset, and nothing here imports more than the standard library.
"""
