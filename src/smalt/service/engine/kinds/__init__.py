"""One module per job type: how its entity becomes steps."""
