"""The audit log: a chained line for every call."""
