"""The command line, in this process, which saves importing torch each time, or as users run it."""

import subprocess
import sys
from types import SimpleNamespace

from typer.testing import CliRunner

from napari_lle.cli.app import app


def process(*arguments, **options):
    """Run as users do."""
    command = [sys.executable, "-m", "napari_lle.cli", *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, timeout=600, **options)


def lle(*arguments):
    """Run in this process; answers as `process` does."""
    done = CliRunner().invoke(app, [str(a) for a in arguments], prog_name="napari-lle")
    if done.exception and not isinstance(done.exception, SystemExit):
        raise done.exception
    return SimpleNamespace(returncode=done.exit_code, stdout=done.stdout, stderr=done.stderr)


def fails(*arguments, run=lle):
    """The one line on standard error of a refused call."""
    done = run(*arguments)
    assert done.returncode == 2, done.stderr
    lines = done.stderr.strip().splitlines()
    assert len(lines) == 1 and "Traceback" not in done.stderr
    return lines[0]
