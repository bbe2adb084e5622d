"""Image files to arrays and back, whole or not at all."""
