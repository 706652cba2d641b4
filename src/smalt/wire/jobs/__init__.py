"""Jobs on the wire: one module per job type, the steps of pipelines, components, inputs and shared settings.

Assets that jobs use belong in `assets`.
"""
