"""The .tflite file format: ``read`` and ``read_file`` make a Graph of it, ``write`` makes it."""

from microinfer.tflite.reader import read, read_file
from microinfer.tflite.writer import write

__all__ = ["read", "read_file", "write"]
