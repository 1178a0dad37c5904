"""A service that does nothing, behind the mesh like any other: it shows what the way to a service costs."""
