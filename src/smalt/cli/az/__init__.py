"""The `az` program that `smalt exec` puts on the PATH.

Only commands that scripts around `az ml` call belong here; the commands of smalt itself do not.
"""
