"""Components that are functions: what `@command_component` needs to read one, and a job to run one.

smalt's own decorator imports it from here; inside jobs it is loaded by path, as the package `_smalt_designer`, where
neither smalt nor mldesigner is installed: see `importing`.
"""
