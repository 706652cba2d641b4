"""The routes of smalt's own clients, below `/smalt/v1`: one module for each question or action.

Routes that Azure's clients call belong to `arm/`; nothing here stores anything but through the rooms below.
"""
