"""What the four verbs print, write and return."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from c_build import need
from command_line import DIGITS, DIGITS_INPUTS, GESTURE, MODELS, Said, microinfer

import microinfer as mi
from microinfer.cli import output, verify
from microinfer.graph import Graph, Node, Tensor
from microinfer.ops.quantize import dequantize
from microinfer.tflite import write
from one_op import quantization

GESTURE_REPORT = """\
gesture_int8.tflite: 9 layers, SHA-256 705ff99336db343e...
arithmetic: tflm (TensorFlow Lite Micro, reference kernels or CMSIS-NN)

          tensor                     dtype  shape         scale  zero point
input 0   serving_default_motion:0   int8   1x50x6  0.007843138          -1
output 0  StatefulPartitionedCall:0  int8   1x3      0.00390625        -128

layer  operator         output      MACs  const bytes  multiplier
    0  RESHAPE          1x1x50x6                       (same bytes)
    1  CONV_2D          1x1x50x8   7,200          216  0.00335..0.00546
    2  MAX_POOL_2D      1x1x25x8
    3  CONV_2D          1x1x25x16  9,600          528  0.00167..0.00294
    4  MAX_POOL_2D      1x1x12x16
    5  RESHAPE          1x192                          (same bytes)
    6  FULLY_CONNECTED  1x16       3,072        3,216  0.000209..0.00118
    7  FULLY_CONNECTED  1x3           48           75  0.00154..0.00205
    8  SOFTMAX          1x3

RAM       700  bytes of arena, 12 of them scratch of kernels
flash   4,035  bytes of constants; the code comes on top
work   19,920  multiply-accumulates (MACs)

Memory map: a row per buffer, a column per layer, # where it is in use.
i: inputs are filled; o: outputs are read; +1: one more tensor in the same bytes.

   bytes  tensor                          i0    5   o
  0..400  gesture_1/conv1_1/Relu          ..##.......
  0..400  gesture_1/conv2_1/Relu          ....##.....
  0.. 16  gesture_1/hidden_1/MatMul       .......##..
  0.. 12  (scratch of layer 8)            .........#.
 16.. 19  gesture_1/classify_1/MatMul +1  ........###
400..700  serving_default_motion:0 +1     ###........
400..600  gesture_1/pool1_1/MaxPool1d     ...##......
400..592  gesture_1/pool2_1/MaxPool1d +1  .....###...
     700  most bytes in use                 ^
"""


@pytest.fixture(autouse=True)
def _in_an_empty_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def test_inspect() -> None:
    assert microinfer("inspect", GESTURE) == Said(0, GESTURE_REPORT, "")
