"""Routes about one job: graph, code, ports, logs, progress, environment, document, and running it again."""
