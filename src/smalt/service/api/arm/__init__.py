"""The routes of Azure Machine Learning: resources by ARM's paths and bodies, and the run history beside them.

Routes that Azure's own clients do not know belong to `native/`; the rules that jobs must meet belong to the engine.
"""
