"""The program of smalt's prebuilt components: a module for each, grouped as the designer's palette is.

It runs in jobs, as `python -m smalt_prebuilt.GROUP.COMPONENT`, and knows nothing of the rest of smalt. A component
reads its inputs, parameters and outputs from the variables AZURE_ML_INPUT_… and AZURE_ML_OUTPUT_… of its job, so that
no text needs quotes in a command.
"""
