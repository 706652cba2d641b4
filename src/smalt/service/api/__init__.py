"""The routes: one module per collection, each thin, over the rooms below."""
