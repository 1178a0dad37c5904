"""Papermesh on Kubernetes: what the chart runs inside the cluster besides the parts themselves.

certificates.py  python -m deploy.kubernetes.certificates: the mesh's certificates, as Secrets
keys.py          python -m deploy.kubernetes.keys: the clients' keys, the audit log's, the first API key, passwords
first_call.py    python -m deploy.kubernetes.first_call: what `helm test` runs
secret_store.py  certificates as Secrets and as the folder that trust.certificates works on
api_server.py    Secrets and pods, as the API server gives and takes them
patience.py      asking it again when it cannot answer just now
bearer.py        the token in a file, shown with every request
job.py           what the first two read from their environment, and how they say that something is wrong
"""
