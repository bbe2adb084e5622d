"""The training widget."""
