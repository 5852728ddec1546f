"""How much a model loses to its integers, layer by layer: the facts, as ``accuracy`` finds them.

Two models run on the same samples: the integer one, and a reference in floats. Samples of reals
are quantized for the integer one; the reference gets them as they are, and what their quantization
does is the error of that input, counted in all accumulated figures. Of samples that are integers
already the reference gets what these stand for: then nothing is known of an input's error.

The reference is the same graph with the weights and biases of the float model that the integer one
was converted from, or, without one, with the dequantized weights: then rounding of weights
and biases cannot be seen, and these parts are None, never 0.

Every layer is judged twice (an input once: alone it is all that there is):

isolated     the layer alone. Both sides get the reference's values, rounded to the grid of the
             layer's inputs (so that an error of the layer before, or of the model's input, is none
             of this one's):
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
    two steps are one: ``activation``, with ``arithmetic`` None. So it is of an input, which has
    ``clipping`` and ``activation`` only.
    """

    weight: float | None
    bias: float | None
    clipping: float
    activation: float
    arithmetic: float | None


@dataclass(frozen=True)
class TensorAccuracy:
    """What quantization does to an input or a layer's outputs. Shares are of 1, errors in steps
    (see above).

    name         of the input, or the layer's first output
    step         its scale
    clipped_low, clipped_high  share of the values that the float layer, fed as in "isolated" and
                 with the integer model's weights, puts more than half a step below or above
                 the integers' range; of an input, of the samples' own values
    range_used   levels from the lowest to the highest value seen in the integer model, of all
                 that the type has
    channels     extent of its last axis
    dead_channels       those that had one and the same value throughout, in the integer model;
                 None where each had one value only
    saturated_channels  those of whose values more than 1 % were clipped
    """

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
class InputAccuracy(TensorAccuracy):
    """One input of integers whose samples were reals. The accumulated figures are the others.

    index      its position among the model's inputs
    low, high  the reals that its integers reach from and to
    """

    index: int
    low: float
    high: float


@dataclass(frozen=True)
class LayerAccuracy(TensorAccuracy):
    """One layer whose output is quantized. ``index`` and ``node`` as the Interpreter counts."""

    index: int
    node: Node


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
    """A change of one layer or input that was simulated, and what it did to the model.

    remedy    what was tried: "16 bits", "calibration range", "per-channel weights",
              "equalisation" or "float weights" (remedies.py says how)
    sentence  the change in plain words, with its numbers
    sqnr_gain_db  of the judged tensor (Accuracy.judged), against the simulation without the change
    agreement_gain  of the share of samples of one class in both; None for outputs without classes
    top1_gain       of the share of samples whose class is the label; None without labels
    """

    remedy: str
    sentence: str
    sqnr_gain_db: float
    agreement_gain: float | None
    top1_gain: float | None


@dataclass(frozen=True)
class Advice:
    """A layer or an input to look at, why, and what was tried, the best first.

    Gains, of the trials too, are on top of those before it in the list, taken to be without
    error: errors hide each other.

    index    the layer; None for an input
    input    position of the model's input; None for a layer
    gain_db  what the judged tensor's SQNR gains if this one is without error
    """

    index: int | None
    input: int | None
    sentence: str
    gain_db: float
    trials: tuple[Trial, ...]


@dataclass(frozen=True)
class Accuracy:
    """All of it. ``layers`` has those with quantized outputs, in order: look them up by ``index``.

    inputs     those of integers whose samples were reals, in order; of others nothing is known
    reference  "float model" or "dequantized weights"
    judged     name of the tensor that gains are measured at: the first output or, behind a last
               SOFTMAX, LOGISTIC or ARG_MAX, its input
    tried      whether remedies were tried: not of models with resource variables
    trial_samples  how many samples, the first ones, the trials used: for their ranges, too, so that
               on others they may gain less
    advice     up to three layers or inputs, the one whose errors cost the most first
    together   the best remedy of each of them, all at once, against the model as it is: what can
               be had; None where nothing helps
    arithmetic_db  of the judged tensor's SQNR, what the integer arithmetic costs, which trials lack
    notes      what a reader has to know, such as what found no match in the float model
    """

    samples: int
    numerics: str
    reference: str
    inputs: tuple[InputAccuracy, ...]
    layers: tuple[LayerAccuracy, ...]
    output: OutputAccuracy
    judged: str
    tried: bool
    trial_samples: int
    advice: tuple[Advice, ...]
    together: Trial | None
    arithmetic_db: float
    notes: tuple[str, ...]
