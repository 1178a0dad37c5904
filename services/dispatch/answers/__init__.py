"""Results: from the cache, from an equal call under way, or from the service that makes them."""
