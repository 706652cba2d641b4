"""The program of a parallel job's step: it cuts the input into mini-batches and has worker processes run the script.

In jobs it is the package `_smalt_parallel`, started by `python -m _smalt_parallel`; docs/internals/parallel.md.
"""
