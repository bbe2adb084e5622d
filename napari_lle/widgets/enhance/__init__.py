"""The Enhance widget, its results, levels, report, and the way back."""
