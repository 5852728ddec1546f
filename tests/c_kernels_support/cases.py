"""The kernels of runtime_c, each with random params and inputs and the NumPy twin's ``eval``."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import fields
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from microinfer import fixedpoint
from microinfer.graph import Tensor
from microinfer.ops import (
    abs_neg,
    add_sub,
    axes,
    broadcast,
    comparison,
    conv_2d,
    depthwise_conv_2d,
    div,
    fully_connected,
    gather,
    lookup,
    maximum_minimum,
    mean,
    movement,
    mul,
    pool_2d,
    prelu,
    quantize,
    resize_bilinear,
    select,
    softmax,
    squared_difference,
)
from microinfer.ops.padding import same_or_valid

Array = NDArray[Any]
Rng = np.random.Generator

STRUCTS: dict[type, str] = {
    abs_neg.NegFloatParams: "mi_neg_params",
    add_sub.AddParams: "mi_add_params",
    comparison.ComparisonParams: "mi_comparison_params",
    conv_2d.Conv2DParams: "mi_conv_2d_params",
    depthwise_conv_2d.DepthwiseConv2DParams: "mi_depthwise_conv_2d_params",
    div.DivParams: "mi_div_params",
    fully_connected.FullyConnectedF64Params: "mi_fully_connected_f64_params",
    fully_connected.FullyConnectedParams: "mi_fully_connected_params",
    gather.GatherAtParams: "mi_gather_at_params",
    lookup.LookupParams: "mi_lookup_params",
    maximum_minimum.MaximumMinimumParams: "mi_maximum_minimum_params",
    mean.MeanParams: "mi_mean_params",
    movement.CopyParams: "mi_copy_params",
    movement.FillParams: "mi_fill_params",
    movement.GatherParams: "mi_gather_params",
    mul.MulParams: "mi_mul_params",
    pool_2d.Pool2DParams: "mi_pool_2d_params",
    prelu.PreluParams: "mi_prelu_params",
    quantize.DequantizeParams: "mi_dequantize_params",
    quantize.QuantizeParams: "mi_quantize_params",
    resize_bilinear.ResizeBilinearParams: "mi_resize_bilinear_params",
    select.SelectParams: "mi_select_params",
    softmax.SoftmaxParams: "mi_softmax_params",
    squared_difference.SquaredDifferenceParams: "mi_squared_difference_params",
}


class Case(NamedTuple):
    """A kernel with random params and inputs; ``size`` and ``dtype`` are the output's."""

    kernel: str
    evaluate: Callable[..., Array]
    params: Any
    inputs: tuple[Array, ...]
    size: int
    dtype: type = np.int8
    in_place: bool = False


def picks(rng: Rng, low: int, high: int, count: int) -> list[int]:
    """``count`` integers from low to high, both included."""
    values: list[int] = rng.integers(low, high, count, endpoint=True).tolist()
    return values


def pick(rng: Rng, low: int, high: int) -> int:
    return picks(rng, low, high, 1)[0]


def int8(rng: Rng, *shape: int) -> Array:
    return rng.integers(-128, 128, shape, np.int8)


def window(rng: Rng, dilations: int) -> dict[str, int]:
    """Sizes, strides, dilations and padding of a window that fits its image."""
    padding = ("SAME", "VALID")[int(rng.integers(2))]
    values = {"batches": pick(rng, 1, 2)}
    for axis, before in (("height", "pad_top"), ("width", "pad_left")):
        output = 0
        while output < 1:
            size, kernel = pick(rng, 1, 8), pick(rng, 1, 5)
            stride, dilation = pick(rng, 1, 3), pick(rng, 1, dilations)
            output, values[before] = same_or_valid(padding, size, kernel, stride, dilation)
        values |= {f"input_{axis}": size, f"kernel_{axis}": kernel, f"stride_{axis}": stride}
        values |= {f"output_{axis}": output}
        values |= {f"dilation_{axis}": dilation} if dilations > 1 else {}
    return values


def clamp(rng: Rng) -> dict[str, int]:
    low, high = sorted(picks(rng, -128, 127, 2))
    narrow = rng.random(2) < 0.3
    return {
        "activation_min": low if narrow[0] else -128,
        "activation_max": high if narrow[1] else 127,
    }


def zero_points(rng: Rng, *names: str) -> dict[str, int]:
    return dict(zip((f"{n}_zero_point" for n in names), picks(rng, -128, 127, 9), strict=False))


def output_stage(rng: Rng, channels: int, terms: int) -> dict[str, Any]:
    """Everything behind the accumulators of ``terms`` products; outputs spread over int8."""
    centre = -math.ceil(math.log2(terms * 64))
    return {
        **zero_points(rng, "input", "output"),
        **clamp(rng),
        "bias": rng.integers(-5000, 5000, channels, np.int32) if rng.random() < 0.7 else None,
        "multipliers": rng.integers(2**30, 2**31, channels).astype(np.int32),
        "shifts": rng.integers(centre - 2, centre + 3, channels, np.int8),
    }


def conv(rng: Rng) -> Case:
    sizes = window(rng, dilations=3)
    groups, inputs, outputs = picks(rng, 1, 4, 3)
    kernel = (sizes["kernel_height"], sizes["kernel_width"])
    p = conv_2d.Conv2DParams(
        **sizes,
        input_channels=groups * inputs,
        group_channels=inputs,
        output_channels=groups * outputs,
        weights=int8(rng, groups * outputs, *kernel, inputs),
        **output_stage(rng, groups * outputs, math.prod(kernel) * inputs),
    )
    x = int8(rng, p.batches, p.input_height, p.input_width, p.input_channels)
    size = p.batches * p.output_height * p.output_width * p.output_channels
    return Case("mi_conv_2d_s8", conv_2d.eval, p, (x,), size)


def depthwise(rng: Rng) -> Case:
    sizes = window(rng, dilations=3)
    channels = int(rng.choice([1, 2, 3, 15, 16, 17, 33]))  # around MI_CHANNEL_BLOCK
    multiplier = int(rng.choice([1, 1, 1, 2, 16, 17]))
    kernel = (sizes["kernel_height"], sizes["kernel_width"])
    p = depthwise_conv_2d.DepthwiseConv2DParams(
        **sizes,
        input_channels=channels,
        depth_multiplier=multiplier,
        output_channels=channels * multiplier,
        weights=int8(rng, 1, *kernel, channels * multiplier),
        **output_stage(rng, channels * multiplier, math.prod(kernel)),
    )
    x = int8(rng, p.batches, p.input_height, p.input_width, channels)
    size = p.batches * p.output_height * p.output_width * p.output_channels
    return Case("mi_depthwise_conv_2d_s8", depthwise_conv_2d.eval, p, (x,), size)


def pool(rng: Rng, kind: str, evaluate: Callable[..., Array]) -> Case:
    channels = int(rng.choice([1, 2, 15, 16, 17, 33]))
    p = pool_2d.Pool2DParams(**window(rng, dilations=1), channels=channels, **clamp(rng))
    x = int8(rng, p.batches, p.input_height, p.input_width, channels)
    size = p.batches * p.output_height * p.output_width * channels
    return Case(f"mi_{kind}_pool_2d_s8", evaluate, p, (x,), size)


def dense(rng: Rng, float64: bool) -> Case:
    rows, inputs, outputs = picks(rng, 1, 30, 3)
    per_channel = int(rng.integers(2))
    stage = output_stage(rng, outputs, inputs)
    scales = outputs if per_channel else 1
    multipliers, shifts = stage.pop("multipliers")[:scales], stage.pop("shifts")[:scales]
    rest = dict(
        rows=rows,
        input_size=inputs,
        output_size=outputs,
        weights_zero_point=0 if per_channel else int(int8(rng)),
        per_channel=per_channel,
        weights=int8(rng, outputs, inputs),
        **stage,
    )
    x, evaluate = int8(rng, rows, inputs), fully_connected.eval
    if float64:
        mantissas = multipliers * np.int64(2**22) + rng.integers(0, 2**22, scales)
        rest |= {"mantissas": mantissas, "shifts": (53 - shifts.astype(int)).astype(np.int16)}
        p64 = fully_connected.FullyConnectedF64Params(**rest)
        return Case("mi_fully_connected_f64_s8", evaluate, p64, (x,), rows * outputs)
    p = fully_connected.FullyConnectedParams(**rest, multipliers=multipliers, shifts=shifts)
    return Case("mi_fully_connected_s8", evaluate, p, (x,), rows * outputs)


def broadcast_loops(rng: Rng, inputs: int) -> tuple[dict[str, Any], list[list[int]]]:
    """Extents and strides as microinfer.ops.broadcast makes them, and the inputs' own extents."""
    extents = picks(rng, 1, 4, broadcast.MAX_RANK)
    owners = rng.random((inputs, broadcast.MAX_RANK)) < rng.choice([0.5, 1])
    shapes = [np.where(own, extents, 1).tolist() for own in owners]
    fields: dict[str, Any] = {"extents": tuple(np.max(shapes, axis=0).tolist())}
    for i, shape in enumerate(shapes):
        steps = zip(movement.row_major(shape), shape, strict=True)
        strides = tuple(s if extent > 1 else 0 for s, extent in steps)
        fields["condition_strides" if i == 2 else f"input{i + 1}_strides"] = strides
    return fields, shapes


def binary(rng: Rng, module: Any, params: type, kernel: str, dtype: type = np.int8) -> Case:
    """An elementwise op of two inputs, with multipliers about and below 1."""
    known, shapes = broadcast_loops(rng, 2)
    known |= zero_points(rng, "input", "alpha", "input1", "input2", "output") | clamp(rng)
    for name in ("input1", "input2", "positive", "negative", "output"):
        known[f"{name}_multiplier"] = pick(rng, 2**30, 2**31 - 1)
        known[f"{name}_shift"] = pick(rng, -4, -1)
    if params is add_sub.AddParams:
        known["output_shift"] -= 17
    elif params is mul.MulParams:
        known["output_shift"] *= 3
    elif params is squared_difference.SquaredDifferenceParams:
        known["output_shift"] -= 19
    elif params is div.DivParams:
        known["output_shift"] = pick(rng, -31, 22)
    known |= {"input2_sign": int(rng.choice([-1, 1])), "larger": pick(rng, 0, 1)}
    for name in ("when_less", "when_equal", "when_greater"):
        known[name] = pick(rng, 0, 1)
    p = params(**{field.name: known[field.name] for field in fields(params)})
    x1, x2 = (int8(rng, math.prod(shape)) for shape in shapes)
    size = math.prod(known["extents"])
    return Case(kernel, module.eval, p, (x1, x2), size, dtype, in_place=dtype is np.int8)


def selected(rng: Rng) -> Case:
    known, shapes = broadcast_loops(rng, 3)
    x1, x2, condition = (int8(rng, math.prod(shape)) for shape in shapes)
    p, size = select.SelectParams(**known), math.prod(known["extents"])
    return Case("mi_select_s8", select.eval, p, (condition & 1, x1, x2), size, in_place=True)


def average(rng: Rng) -> Case:
    kept, reduced = (tuple(picks(rng, 1, 4, axes.PAIRS)) for _ in range(2))
    count = math.prod(reduced)
    p = mean.MeanParams(
        kept_extents=kept,
        reduced_extents=reduced,
        count=count,
        **zero_points(rng, "input", "output"),
        multiplier=pick(rng, 2**29, 2**31 - 1),
        shift=pick(rng, -4, 3) - count.bit_length(),
    )
    return Case("mi_mean_s8", mean.eval, p, (int8(rng, *p.interleaved),), math.prod(kept))


def softmaxed(rng: Rng) -> Case:
    rows, depth = pick(rng, 1, 3), pick(rng, 1, 40)
    if rng.random() < 0.2:  # where sums of equal classes reach the next power of two
        depth = int(rng.choice([255, 256, 257, 511, 512, 513, 4095]))
    multiplier, shift = fixedpoint.quantize_multiplier(min(2 ** rng.uniform(0.01, 31), 2**31 - 1.0))
    p = softmax.SoftmaxParams(rows, depth, multiplier, shift, diff_min=-((31 << 26) >> shift))
    x = rng.integers(-1, rng.choice([0, 1, 127]), (rows, depth), np.int8)
    return Case("mi_softmax_s8", softmax.eval, p, (x,), x.size, in_place=True)


def looked_up(rng: Rng) -> Case:
    p = lookup.LookupParams(pick(rng, 1, 300), int8(rng, 256))
    return Case("mi_lookup_s8", lookup.eval, p, (int8(rng, p.size),), p.size, in_place=True)


def gathered(rng: Rng) -> Case:
    outer, stride, run = pick(rng, 1, 3), pick(rng, 11, 13), pick(rng, 1, 9)
    rows, columns = ([*picks(rng, 0, 5, pick(rng, 1, 4))] for _ in range(2))
    x = int8(rng, outer * stride * run)
    p = movement.gather(
        Tensor("x", x.shape, "INT8"), run, columns, rows, outer=outer, outer_stride=stride
    )
    params = movement.MovementParams((outer * len(rows) * len(columns) * run,), (movement.Move(p),))
    return Case("mi_gather", lambda _, x: movement.eval(params, x), p, (x,), params.sizes[0])


def resized(rng: Rng) -> Case:
    """Scales that reach beyond the image, and offsets that begin before it."""
    batches, height, width, channels, output_height, output_width = picks(rng, 1, 6, 6)
    scales, offsets = picks(rng, 0, 3000, 2), picks(rng, -512, 1000, 2)
    p = resize_bilinear.ResizeBilinearParams(
        batches,
        height,
        width,
        channels,
        output_height,
        output_width,
        row_scale=scales[0],
        row_offset=offsets[0],
        column_scale=scales[1],
        column_offset=offsets[1],
    )
    x = int8(rng, batches, height, width, channels)
    size = batches * output_height * output_width * channels
    return Case("mi_resize_bilinear_s8", resize_bilinear.eval, p, (x,), size)


def quantized(rng: Rng) -> Case:
    """Random bits, and values about ties: among them 0.49999997 * scale, and NaN."""
    scale = np.float32(rng.choice([1, 0.1, 2.0**-8, 3e-5, 1e-38, 1e36]))
    ties = np.arange(-300, 300, 0.5, np.float32) * scale
    near = [np.nextafter(ties, np.float32(to)) for to in (-np.inf, np.inf)]
    special = np.array([math.nan, math.inf, -math.inf, -0.0, 3e38, -3e38, 1e-45], np.float32)
    bits = rng.integers(0, 2**32, 1000, np.uint32).view(np.float32)
    x = np.concatenate([ties, *near, special, bits])
    p = quantize.QuantizeParams(x.size, scale, zero_point=int(rng.choice([-128, -3, 0, 127])))
    return Case("mi_quantize_f32_s8", quantize.eval_quantize, p, (x,), x.size)


def dequantized(rng: Rng) -> Case:
    scale = float(np.float32(rng.choice([1, 0.1, 2.0**-8, 3e-5, 1e-44, 1e36])))
    p = quantize.DequantizeParams(256, scale, zero_point=int(int8(rng)))
    x = np.arange(-128, 128).astype(np.int8)
    return Case("mi_dequantize_s8_f32", quantize.eval_dequantize, p, (x,), 256, np.float32)


def gathered_at(rng: Rng) -> Case:
    batches, outer, extent, count, run = picks(rng, 1, 4, 5)
    p = gather.GatherAtParams(batches, outer, extent, count, run)
    x = int8(rng, batches, outer, extent, run)
    places = rng.integers(0, extent, (batches, count), np.int32)
    size = batches * outer * count * run
    return Case("mi_gather_at", gather.eval_gather, p, (x, places), size)


def negated(rng: Rng) -> Case:
    x = np.append(rng.normal(0, 10, 30), [0.0, -0.0, np.inf]).astype(np.float32)
    p = abs_neg.NegFloatParams(x.size)
    return Case("mi_neg_f32", abs_neg.eval_neg, p, (x,), x.size, np.float32, True)


CASES: dict[str, Callable[[Rng], Case]] = {
    "neg": negated,
    "gather_at": gathered_at,
    "add_sub": lambda rng: binary(rng, add_sub, add_sub.AddParams, "mi_add_s8"),
    "mul": lambda rng: binary(rng, mul, mul.MulParams, "mi_mul_s8"),
    "div": lambda rng: binary(rng, div, div.DivParams, "mi_div_s8"),
    "maximum_minimum": lambda rng: binary(
        rng, maximum_minimum, maximum_minimum.MaximumMinimumParams, "mi_maximum_minimum_s8"
    ),
    "prelu": lambda rng: binary(rng, prelu, prelu.PreluParams, "mi_prelu_s8"),
    "squared_difference": lambda rng: binary(
        rng,
        squared_difference,
        squared_difference.SquaredDifferenceParams,
        "mi_squared_difference_s8",
    ),
    "comparison": lambda rng: binary(
        rng, comparison, comparison.ComparisonParams, "mi_compare_s8", np.bool_
    ),
    "select": selected,
    "average_pool_2d": lambda rng: pool(rng, "average", pool_2d.eval_average),
    "conv_2d": conv,
    "depthwise_conv_2d": depthwise,
    "dequantize": dequantized,
    "fully_connected": lambda rng: dense(rng, float64=False),
    "fully_connected_f64": lambda rng: dense(rng, float64=True),
    "gather": gathered,
    "lookup": looked_up,
    "max_pool_2d": lambda rng: pool(rng, "max", pool_2d.eval_maximum),
    "mean": average,
    "quantize": quantized,
    "resize_bilinear": resized,
    "softmax": softmaxed,
}
