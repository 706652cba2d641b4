"""SDK v1's names, `azureml.*`: thin objects that build v2's entities and call the same client.

`modules` says which `azureml` module has which name, and `smalt.python.finder` serves them; `mapping` is the table of
each name's form in v2. See docs/v1.md, and docs/internals/sdk-v1.md for how it is built.
"""
