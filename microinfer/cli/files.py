"""Values from files: .npy, .npz, .csv, .bin and images, each checked where it is read.

A reader gives an array; ``convert`` makes it what the model's input takes, exactly or not at all.
"""

from __future__ import annotations

import io
import zipfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..errors import BadInput
from ..graph import Tensor
from ..ops.quantize import quantize
from ..trace import DAMAGED
from .failure import note, read_bytes
from .output import tuple_text

Array = NDArray[Any]

IMAGES = (".png", ".jpg", ".jpeg", ".bmp", ".gif", ".pgm", ".ppm", ".tif", ".tiff", ".webp")
LOSSLESS = ("1", "L", "LA", "P", "PA", "RGB", "RGBA")  # Pillow's modes that RGBA can express
FORMATS = ".npy, .npz, .csv, .bin or an image"


@dataclass
class Conversion:
    """What the user says about the values in files.

    quantize     they are real numbers: quantize them as the model's input is
    image_range  the real numbers that pixels 0 and 255 stand for
    keep         do not quantize them: the verb compares with the reals, and does it itself
    pixels       whether ``image_range`` applied to anything so far
    """

    quantize: bool = False
    image_range: tuple[float, float] | None = None
    keep: bool = False
    pixels: bool = False

    def reals(self, pixels: Array) -> Array:
        """What pixels stand for: low + pixel * (high - low) / 255."""
        assert self.image_range is not None
        self.pixels = True
        low, high = self.image_range
        return low + pixels.astype(np.float64) * (high - low) / 255


def read_values(path: Path, tensor: Tensor, conversion: Conversion) -> Array:
    """The values of a file that holds one array, ready for ``tensor``. Raises BadInput."""
    suffix = path.suffix.lower()
    if suffix == ".npy":
        values = read_npy(path)
    elif suffix == ".csv":
        values = _read_csv(path, tensor, conversion.quantize)
    elif suffix == ".bin":
        values = _read_bin(path, tensor, np.dtype("<f4") if conversion.quantize else tensor.dtype)
    elif suffix in IMAGES:
        values = _read_image(path, tensor, conversion)
    else:
        raise BadInput(f"its name does not end like an input's: expected {FORMATS}")
    return convert(values, tensor, conversion)


def convert(values: Array, tensor: Tensor, conversion: Conversion) -> Array:
    """``values`` in the dtype of ``tensor``: as they are, or made of reals or pixels on request."""
    got = f"got {values.dtype} {tuple_text(values.shape)}"
    wanted = f'input "{tensor.name}" takes {tensor.dtype} {tuple_text(tensor.shape)}'
    pixels = values.dtype == np.uint8 and (tensor.dtype != np.uint8 or conversion.image_range)
    if pixels and conversion.image_range is not None:
        return _of_reals(conversion.reals(values), tensor, conversion.keep)
    if values.dtype == tensor.dtype and (not conversion.quantize or values.dtype == np.float32):
        return values
    if values.dtype.kind not in "fiu":
        raise BadInput(f"{got}; {wanted}")
    if pixels:
        raise BadInput(f"{got}, {wanted}; if these are pixels, {_range_hint(tensor)}")
    if values.dtype == tensor.dtype:
        raise BadInput(f"{got}, quantized already; leave --quantize-input out")
    if values.dtype.kind != "f":
        reals = ""
        if tensor.dtype != np.float32:
            reals = "; if they are real values, as float32, and pass --quantize-input"
        raise BadInput(f"{got}, {wanted}: save them as {tensor.dtype}{reals}")
    if tensor.dtype == np.float32 and not conversion.quantize:
        raise BadInput(f"{got}, {wanted}: save them as float32, values.astype(numpy.float32)")
    if not conversion.quantize:
        raise BadInput(f"{got}, {wanted}; if these are real values, pass --quantize-input")
    return _of_reals(values, tensor, conversion.keep)


def _of_reals(values: Array, tensor: Tensor, keep: bool) -> Array:
    """Real numbers as ``tensor`` has them or, to ``keep``, as float32 has them."""
    if not np.isfinite(values).all():
        where = tuple(int(i) for i in np.argwhere(~np.isfinite(values))[0])
        raise BadInput(f"{values[where]} at {where}; only finite numbers can be quantized")
    if tensor.dtype == np.float32:
        return values.astype(np.float32)
    quantization = tensor.port_quantization
    if quantization is None:
        raise BadInput(
            f'input "{tensor.name}" takes {tensor.dtype}, which cannot be made of real numbers'
        )
    if keep:
        return values.astype(np.float32)
    scale = np.float32(quantization.scale)
    return quantize(values.astype(np.float32), scale, quantization.zero_point, tensor.dtype)


def read_npy(path: Path) -> Array:
    """The array of a .npy. Pickled objects, which could run code, are not loaded."""
    data = read_bytes(path)
    if not data.startswith(b"\x93NUMPY"):
        raise BadInput("is not a .npy: expected what numpy.save writes")
    try:
        values: Array = np.load(io.BytesIO(data), allow_pickle=False)
    except DAMAGED as error:
        raise BadInput(_numpy_text(error, ".npy")) from None
    return values


def read_npz(path: Path) -> dict[str, Array]:
    """The arrays of a .npz, by name."""
    data = read_bytes(path)
    if not zipfile.is_zipfile(io.BytesIO(data)):
        raise BadInput("is not a .npz: expected what numpy.savez writes")
    try:
        with np.load(io.BytesIO(data), allow_pickle=False) as file:
            return {name: file[name] for name in file.files}
    except DAMAGED as error:
        raise BadInput(_numpy_text(error, ".npz")) from None


def _numpy_text(error: BaseException, kind: str) -> str:
    if "pickle" in str(error):
        return (
            "holds Python objects, not numbers, and loading them could run code; save a plain"
            f" array: numpy.save{'z' if kind == '.npz' else ''} of dtype int8 or float32"
        )
    return f"is not a whole {kind} file"


def _read_csv(path: Path, tensor: Tensor, reals: bool) -> Array:
    """Numbers separated by commas; a sample is one line, or several whole lines, in C order.

    Text has no dtype: whole numbers are the model's integers unless they are ``reals``.
    """
    try:
        text = read_bytes(path).decode("utf-8-sig")
    except UnicodeDecodeError:
        raise BadInput("is not text; expected numbers separated by commas") from None
    rows: list[list[float]] = []
    for number, written in enumerate(text.splitlines(), 1):
        cells = written.split(",")
        if not written.strip():
            continue
        if number == 1 and all(_is_heading(cell) for cell in cells):
            note(f"note: {path}: line 1 is taken for a header")
            continue
        for column, cell in enumerate(cells, 1):
            if not _is_number(cell):
                raise BadInput(f"line {number}, column {column}: {cell.strip()!r} is not a number")
        if rows and len(cells) != len(rows[0]):
            raise BadInput(f"line {number} has {len(cells)} columns, those before {len(rows[0])}")
        if not reals:
            _require_whole(cells, number, tensor)
        rows.append([float(cell) for cell in cells])
    if not rows:
        raise BadInput("has no numbers in it")
    values = np.array(rows)
    size = tensor.size
    if size % values.shape[1] or values.size % size:
        raise BadInput(
            f"has {len(rows)} lines of {values.shape[1]} numbers; a sample of input"
            f' "{tensor.name}" takes {size}, {tuple_text(tensor.shape)}, in one line or in'
            " several whole lines"
        )
    if values.shape[1] < size:
        note(f"note: {path}: {size // values.shape[1]} lines make one sample")
    values = values.reshape(-1, *tensor.shape)
    if tensor.dtype == np.float32:
        return values.astype(np.float32)
    return values if reals or tensor.dtype.kind not in "iu" else _whole_numbers(values, tensor)


def _is_heading(cell: str) -> bool:
    return (cell.strip()[:1].isalpha() and not _is_number(cell)) or cell.strip()[:1] in ("_", '"')


def _is_number(cell: str) -> bool:
    try:
        float(cell)
    except ValueError:
        return False
    return "_" not in cell


def _require_whole(cells: list[str], number: int, tensor: Tensor) -> None:
    """Raise BadInput if a line of a .csv has real numbers and ``tensor`` takes integers."""
    if tensor.dtype.kind not in "iu":
        return
    for column, cell in enumerate(cells, 1):
        if not cell.strip().lstrip("+-").isdecimal():
            raise BadInput(
                f"line {number}, column {column}: got {cell.strip()}, input "
                f'"{tensor.name}" takes {tensor.dtype} {tuple_text(tensor.shape)}; if these are'
                " real values, pass --quantize-input"
            )


def _whole_numbers(values: Array, tensor: Tensor) -> Array:
    """Whole numbers as ``tensor``'s integers."""
    limits = np.iinfo(tensor.dtype)
    outside = values[(values < limits.min) | (values > limits.max)]
    if outside.size:
        raise BadInput(
            f"{outside[0]:.0f} is not an {tensor.dtype}, {limits.min} to {limits.max}; if these"
            " are real values, pass --quantize-input; if pixels, save them as a .npy of uint8 and"
            " pass --image-range"
        )
    return values.astype(tensor.dtype)


def _read_bin(path: Path, tensor: Tensor, dtype: np.dtype[Any]) -> Array:
    """Bare elements of ``dtype``, little-endian, one sample after the other."""
    data = read_bytes(path)
    sample = tensor.size * dtype.itemsize
    if not data or len(data) % sample:
        raise BadInput(
            f"has {len(data):,} bytes; a sample of {dtype.name} {tuple_text(tensor.shape)} takes"
            f" {sample:,}, and the file a multiple of that"
        )
    values = np.frombuffer(data, dtype.newbyteorder("<"))
    return values.astype(dtype.newbyteorder("=")).reshape(-1, *tensor.shape)


def _read_image(path: Path, tensor: Tensor, conversion: Conversion) -> Array:
    """An image's pixels, uint8. It has to fit as it is."""
    if len(tensor.shape) != 4 or tensor.shape[0] != 1 or tensor.shape[3] not in (1, 3):
        raise BadInput(
            f'is an image; input "{tensor.name}" takes {tuple_text(tensor.shape)}, expected'
            " (1, HEIGHT, WIDTH, 1) or (1, HEIGHT, WIDTH, 3)"
        )
    try:
        from PIL import Image, UnidentifiedImageError
    except ImportError:
        raise BadInput("reading images needs Pillow: pip install pillow") from None
    if conversion.image_range is None:
        raise BadInput(f"is an image: {_range_hint(tensor)}")
    data = read_bytes(path)
    try:
        with Image.open(io.BytesIO(data)) as image:
            mode = image.mode
            pixels = np.asarray(image.convert("RGBA"))
    except (UnidentifiedImageError, Image.DecompressionBombError, OSError, ValueError, SyntaxError):
        raise BadInput("is not an image that Pillow can read") from None
    _require_fit(pixels, mode, tensor)
    return pixels[None, ..., : tensor.shape[3]]


def _require_fit(pixels: Array, mode: str, tensor: Tensor) -> None:
    """Raise BadInput unless the RGBA ``pixels`` are, without loss, what ``tensor`` takes."""
    height, width, channels = tensor.shape[1:]
    again = "the way the training data was"
    if mode not in LOSSLESS:
        raise BadInput(f"is a {mode} image; expected 8-bit greyscale or RGB: convert it, {again}")
    if (pixels[..., 3] != 255).any():
        raise BadInput(f"has transparent pixels: put it on a background, {again}")
    if channels == 1 and (pixels[..., :1] != pixels[..., 1:3]).any():
        raise BadInput(f'is in colour; input "{tensor.name}" takes greyscale: convert it, {again}')
    if pixels.shape[:2] != (height, width):
        raise BadInput(
            f'is {pixels.shape[1]} wide and {pixels.shape[0]} high; input "{tensor.name}" takes'
            f" {width} wide and {height} high: resize it, {again}"
        )


def _range_hint(tensor: Tensor) -> str:
    text = "say which real values pixels 0 and 255 stand for, as in training:"
    text += " --image-range 0,1 or -1,1 or 0,255"
    quantization = tensor.port_quantization
    if quantization is not None:
        limits = np.iinfo(tensor.dtype)
        scale, zero_point = quantization.scale, quantization.zero_point
        low, high = (scale * (q - zero_point) for q in (limits.min, limits.max))
        text += f" (the model's input covers {low:.4g} to {high:.4g})"
    return text
