"""``python -m napari_lle.cli``."""

from .app import app

app(prog_name="napari-lle")
