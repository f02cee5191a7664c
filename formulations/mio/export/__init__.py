"""Models as files that other programs read: one file a format."""

from formulations.mio.export.write import write

__all__ = ["write"]
