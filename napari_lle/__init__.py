"""Low-light enhancement for napari. Importing this package costs nothing."""

__version__ = "0.1.0"
