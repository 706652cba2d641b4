"""The backend that runs steps in containers, with the engine's images and command lines.

What any backend does, and what a step on this machine needs anyway, does not belong here (`compute/local`).
"""
