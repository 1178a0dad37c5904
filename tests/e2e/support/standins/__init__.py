"""A service for tests of the mesh: slow, failing or counting as they need it, joined as docs/add-a-service.md says.

`tests.e2e.support.standins.deployed` starts a mesh with it and is where to begin.
"""
