"""AutoML: the jobs and steps of each task, their settings, and the methods that set them.

Other job types are modules of `jobs`; the functions that programs call belong in `smalt.automl`.
"""
