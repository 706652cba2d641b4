"""URIs, datastores and content-addressed snapshots."""
