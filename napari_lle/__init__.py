"""Low-light enhancement for napari. Importing this package costs nothing."""

from .model.version import __version__

__all__ = ["__version__"]
