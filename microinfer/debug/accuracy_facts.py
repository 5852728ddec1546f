"""How much a model loses to its integers, layer by layer: the facts, as ``accuracy`` finds them.

Two models run on the same samples: the integer one, and a reference in floats. Both are given the
same input values, those that the integer model's inputs stand for.

The reference is the same graph with the weights and biases of the float model that the integer one
was converted from, or, without one, with the dequantized weights: then rounding of weights
and biases cannot be seen, and these parts are None, never 0.

Every layer is judged twice:

isolated     the layer alone. Both sides get the reference's values, rounded to the grid of the
             layer's inputs (so that an error of the layer before is none of this one's):
             the integer layer as integers, the float layer as the reals they stand for.
accumulated  the layer as it ran in the integer model, against the same tensor of the reference.

With y the reference's values, q the integer layer's as reals, e = q - y, over all elements of the
layer's outputs and all samples:

    SQNR         10 log10(sum y^2 / sum e^2), in dB; inf where there is no error
    cosine       sum y q / sqrt(sum y^2 sum q^2)
    error        max |e| and sqrt(mean e^2), in steps: units of the output's scale. Nothing but
                 rounding makes 1 / sqrt(12) = 0.289 of the second, and 0.5 of the first.
"""

from __future__ import annotations

from dataclasses import dataclass

from ..graph import Node


@dataclass(frozen=True)
class Split:
    """What an error is made of: the root mean square of each part, in output steps.

    The parts add up, element by element, to the error; their squares do so as far as they are
    independent. Isolated, they are what changes in the layer's outputs when, one after the other,

    weight      the reference's weights are replaced by the integer model's (None: no float model,
                or no match in it)
    bias        so are its biases (None: as above)
    clipping    outputs that round to beyond the integers' range are cut off
    activation  the others are rounded to the output's grid
    arithmetic  the real arithmetic is replaced by the integer layer's own: fixed-point
                multipliers, tables, rounding in several steps

    Accumulated, each step is taken by all layers up to this one at the same time, and the last
    two steps are one: ``activation``, with ``arithmetic`` None.
    """

    weight: float | None
    bias: float | None
    clipping: float
    activation: float
    arithmetic: float | None


@dataclass(frozen=True)
class LayerAccuracy:
    """One layer whose output is quantized. Shares are of 1, errors in steps (see above).

    index, node  as the Interpreter counts layers
    name         of its first output
    step         the output's scale
    clipped_low, clipped_high  share of the outputs that the float layer, fed as in "isolated" and
                 with the integer model's weights, puts more than half a step below or above
                 the integers' range
    range_used   levels from the lowest to the highest output seen in the integer model, of all
                 that the type has
    channels     extent of the output's last axis
    dead_channels       those that had one and the same value throughout, in the integer model;
                 None where each had one value only
    saturated_channels  those of whose values more than 1 % were clipped
    """

    index: int
    node: Node
    name: str
    step: float
    elements: int
    sqnr_db: float
    cosine: float
    max_error_steps: float
    rms_error_steps: float
    split: Split
    accumulated_sqnr_db: float
    accumulated_cosine: float
    accumulated_max_error_steps: float
    accumulated_rms_error_steps: float
    accumulated_split: Split
    clipped_low: float
    clipped_high: float
    range_used: float
    channels: int
    dead_channels: tuple[int, ...] | None
    saturated_channels: tuple[int, ...]


@dataclass(frozen=True)
class OutputAccuracy:
    """The model's first output, integer model against reference, over all samples.

    relative_error  sqrt(sum e^2 / sum y^2)
    agreement       share of samples in which both have their largest value at the same place
                    (the first of equals); None for outputs that are no classes'
    top1, float_top1  share of samples in which that place is the label, of the integer model and
                    of the reference; None without labels
    """

    name: str
    sqnr_db: float
    cosine: float
    max_error: float
    relative_error: float
    agreement: float | None
    top1: float | None
    float_top1: float | None


@dataclass(frozen=True)
class Trial:
    """A change of one layer that was simulated, and what it did to the model.

    remedy    what was tried: "16 bits", "calibration range", "per-channel weights",
              "equalisation" or "float weights" (remedies.py says how)
    sentence  the change in plain words, with its numbers
    sqnr_gain_db  of the judged tensor (Accuracy.judged), against the simulation without the change
    agreement_gain  of the share of samples of one class in both; None for outputs without classes
    """

    remedy: str
    sentence: str
    sqnr_gain_db: float
    agreement_gain: float | None


@dataclass(frozen=True)
class Advice:
    """A layer to look at, why, and what was tried, the best first.

    Gains, of the trials too, are on top of the layers before it in the list, taken to be without
    error: errors hide each other.

    gain_db  what the judged tensor's SQNR gains if this layer is without error
    """

    index: int
    sentence: str
    gain_db: float
    trials: tuple[Trial, ...]


@dataclass(frozen=True)
class Accuracy:
    """All of it. ``layers`` has those with quantized outputs, in order: look them up by ``index``.

    reference  "float model" or "dequantized weights"
    judged     name of the tensor that gains are measured at: the first output or, behind a last
               SOFTMAX, LOGISTIC or ARG_MAX, its input
    tried      whether remedies were tried: not of models with resource variables
    trial_samples  how many samples, the first ones, the trials used: for their ranges, too, so that
               on others they may gain less
    advice     up to three layers, the one whose errors cost the most first
    together   the best remedy of each of them, all at once, against the model as it is: what can
               be had; None where nothing helps
    notes      what a reader has to know, such as what found no match in the float model
    """

    samples: int
    numerics: str
    reference: str
    layers: tuple[LayerAccuracy, ...]
    output: OutputAccuracy
    judged: str
    tried: bool
    trial_samples: int
    advice: tuple[Advice, ...]
    together: Trial | None
    notes: tuple[str, ...]
