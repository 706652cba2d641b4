"""Makes an environment real: a virtual environment today; conda and images later."""
