"""The code of the prebuilt components, as their jobs get it."""
