"""Training pairs: read, checked, split, cropped."""
