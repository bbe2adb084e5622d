"""Files that open as layers."""
