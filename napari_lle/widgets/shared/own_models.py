"""The user's own models of this session: every list of models offers them at once."""

from __future__ import annotations

from psygnal import Signal


class OwnModels:
    """Paths of model files that were chosen or trained, in that order."""

    added = Signal(str)

    def __init__(self) -> None:
        self.paths: list[str] = []

    def add(self, path: str) -> None:
        """Offer a model file everywhere."""
        if path not in self.paths:
            self.paths.append(path)
            self.added.emit(path)


OWN = OwnModels()
