"""From a layer to a call of CMSIS-NN, or None where it does not compute the layer's bits.

The library computes as TensorFlow Lite Micro does, except in corners where C leaves open what
happens or where a short cut of it has limits. Each condition in the files beside this one keeps one
of those out; its reason stands beside it. A new operator is a function there and a line here.
"""

from __future__ import annotations

from collections.abc import Callable

from ...graph import Graph
from ...ops.add_sub import AddParams
from ...ops.batch_matmul import BatchMatMulParams
from ...ops.conv_2d import Conv2DParams, Conv2DS16Params
from ...ops.depthwise_conv_2d import DepthwiseConv2DParams, DepthwiseConv2DS16Params
from ...ops.fully_connected import FullyConnectedParams, FullyConnectedS16Params
from ...ops.lstm import LstmParams
from ...ops.mul import MulParams
from ...ops.pool_2d import Pool2DParams
from ...ops.softmax import SoftmaxParams, SoftmaxToInt16Params
from ...ops.softmax_s16 import Softmax16Params
from ...ops.svdf import SvdfInt8Params, SvdfParams
from ...ops.transpose_conv import TransposeConvParams
from ...prepare import PreparedLayer
from ..kernels import Call
from . import conv, dense, elementwise, movement, recurrent

Choice = Callable[[PreparedLayer, str], Call | None]

# By the types of activations, as one class of params may serve several.
INT8: dict[type, Choice] = {
    Conv2DParams: conv.conv,
    DepthwiseConv2DParams: conv.depthwise,
    TransposeConvParams: conv.transpose_conv,
    FullyConnectedParams: dense.dense,
    BatchMatMulParams: dense.batch_matmul,
    Pool2DParams: elementwise.pool,
    SoftmaxParams: elementwise.softmax,
    AddParams: elementwise.add,
    MulParams: elementwise.mul,
    SvdfParams: recurrent.svdf,
    SvdfInt8Params: recurrent.svdf_s8,
    LstmParams: recurrent.lstm,
}
INT4: dict[type, Choice] = {  # weights of int8 activations
    Conv2DParams: conv.conv_s4,
    DepthwiseConv2DParams: conv.depthwise_s4,
    FullyConnectedParams: dense.dense_s4,
}
INT16: dict[type, Choice] = {
    Conv2DS16Params: conv.conv_s16,
    DepthwiseConv2DS16Params: conv.depthwise_s16,
    FullyConnectedS16Params: dense.dense_s16,
    BatchMatMulParams: dense.batch_matmul_s16,
    Pool2DParams: elementwise.pool_s16,
    Softmax16Params: elementwise.softmax_s16,
    AddParams: elementwise.add_s16,
    MulParams: elementwise.mul_s16,
}
INT8_TO_INT16: dict[type, Choice] = {SoftmaxToInt16Params: elementwise.softmax_s8_s16}


def call(graph: Graph, layer: PreparedLayer, core: str) -> Call | None:
    """The library's call that computes ``layer`` on ``core``, if there is one."""
    node = layer.node
    sources = {graph.tensors[i].type for i in layer.op.operand_indices(node)}
    outputs = {graph.tensors[i].type for i in node.outputs}
    int4 = any(graph.tensors[i].type == "INT4" for i in node.inputs if i >= 0)
    if sources == outputs == {"INT8"}:
        if layer.op.name == "PAD":
            return movement.pad(graph, layer)
        if layer.op.name == "TRANSPOSE":
            return movement.transpose(graph, layer, core)
        choices = INT4 if int4 else INT8
    elif int4:
        return None  # of int16 activations
    elif sources == outputs == {"INT16"}:
        choices = INT16
    elif (sources, outputs) == ({"INT8"}, {"INT16"}):
        choices = INT8_TO_INT16
    else:
        return None
    choose = choices.get(type(layer.params))
    return choose(layer, core) if choose else None
