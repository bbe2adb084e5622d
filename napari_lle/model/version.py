"""The one place that states the version."""

from __future__ import annotations

import subprocess
from pathlib import Path

__version__ = "0.2.0"


def commit() -> str:
    """Hash of the checkout that runs, with ``+`` if files differ from it; empty if installed."""
    checkout = Path(__file__).parents[2]
    if not (checkout / ".git").exists():
        return ""
    try:
        told = subprocess.run(
            ["git", "describe", "--always", "--abbrev=12", "--exclude=*", "--dirty=+"],
            cwd=checkout,
            capture_output=True,
            text=True,
            check=True,
        )
    except (OSError, subprocess.CalledProcessError):
        return ""
    return told.stdout.strip()
