"""Online endpoints on this machine: processes that answer requests, children of the launcher, behind smalt's port.

`online_endpoints` is the front; `definitions` says what a deployment needs, `replicas` keeps its processes, `gate`
grants requests their turn, `deployments` replaces one revision by the next, `proxy` passes requests on.
Batch endpoints, whose invocations are jobs, are beside this folder.
"""
