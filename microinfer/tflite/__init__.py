"""The .tflite file format: ``read`` and ``read_file`` make a Graph of it, ``write`` makes it."""

from .reader import read, read_file
from .writer import write

__all__ = ["read", "read_file", "write"]
