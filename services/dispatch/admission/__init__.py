"""Who gets in: signatures, nonces, limits, rights and arguments."""
