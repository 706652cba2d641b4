"""Steps of a pipeline: calling components, binding inputs to outputs, dependencies, steps as jobs of their own.

The steps of one job type belong in its module in `jobs`; checks of whole pipelines belong in `rules`.
"""
