"""Texts as vectors: by models that an installation has, in workers, or by an endpoint that its operator names."""
