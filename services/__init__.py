"""The services of the mesh, one package each, and what they share in `base`."""
