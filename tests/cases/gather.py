"""GATHER: slices along an axis, by a constant list of places."""

from __future__ import annotations

from typing import Any

from microinfer.graph import Graph, Tensor
from one_op import activation, constant, int32, one_op

from .case import Case, Shape


def gather(shape: Shape, indices: Any, output: Shape, **options: int) -> Graph:
    operands = [activation(shape, 0.5, 3), int32(indices)]
    return one_op("GATHER", operands, activation(output, 0.5, 3, "y"), **options)


def gather_at(indices: Shape, output: Shape, **options: int) -> Graph:
    table = constant([[1, 2], [3, 4], [5, 6]], 0.5, 3, name="table")
    places = Tensor("indices", indices, "INT32")
    return one_op("GATHER", [table, places], activation(output, 0.5, 3, "y"), **options)


CASES = (
    Case(
        "an_embedding",
        gather_at((1, 4), (1, 4, 2)),
        [[[2, 0, 0, 1]]],
        [[[5, 6], [1, 2], [1, 2], [3, 4]]],
        "words are a model input, and the table is a constant",
    ),
    Case(
        "columns_by_an_input",
        gather_at((2,), (3, 2), axis=1),
        [[1, 1]],
        [[2, 2], [4, 4], [6, 6]],
        "the same places in every row",
    ),
    Case(
        "rows_in_any_order_and_twice",
        gather((3, 2), [2, 0, 2], (3, 2)),
        [[[1, 2], [3, 4], [5, 6]]],
        [[5, 6], [1, 2], [5, 6]],
        "",
    ),
    Case(
        "columns",
        gather((2, 3), [2, 1], (2, 2), axis=-1),
        [[[1, 2, 3], [4, 5, 6]]],
        [[3, 2], [6, 5]],
        "the table repeats for every row",
    ),
    Case(
        "indices_of_rank_two",
        gather((3,), [[0, 1], [2, 2]], (2, 2)),
        [[1, 2, 3]],
        [[1, 2], [3, 3]],
        "the axis becomes those of the indices",
    ),
    Case(
        "a_scalar",
        gather((2, 3), 1, (2,), axis=1),
        [[[1, 2, 3], [4, 5, 6]]],
        [2, 5],
        "of rank 0: the axis vanishes",
    ),
    Case(
        "batch_dims",
        gather((2, 3), [[2, 0], [1, 1]], (2, 2), axis=1, batch_dims=1),
        [[[1, 2, 3], [4, 5, 6]]],
        [[3, 1], [5, 5]],
        "each row has its own indices",
    ),
)
