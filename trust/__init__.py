"""Certificates, clients, keys and the check of the audit log: what operators' commands and deployments share."""
