"""Disks that take no more, in ways that every system knows and some that need root."""

import os
import subprocess
from contextlib import contextmanager

import pytest


@contextmanager
def small_files(size):
    """No file may grow beyond so many bytes: writers fail in the middle, as on a full disk."""
    resource = pytest.importorskip("resource", reason="Windows has no limits on files")
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


@contextmanager
def mounted(folder, *options):
    """A disk in memory at a folder, with options of mount."""
    command = ["mount", "-t", "tmpfs", "-o", ",".join(options), "tmpfs", str(folder)]
    if os.name == "nt" or os.geteuid() != 0 or subprocess.run(command).returncode:
        pytest.skip("only root can mount a small disk")
    try:
        yield folder
    finally:
        subprocess.run(["umount", "-l", str(folder)], check=True)
