"""explain's page in a browser: what it shows is what the interpreter computes, click by click."""

from __future__ import annotations

import numpy as np
import pytest
from playwright.sync_api import Page

import microinfer as mi
from browser import Open
from microinfer.debug import wasm, weighted
from microinfer.debug.explain import explain as mi_explain
from microinfer.debug.page import explain_page
from microinfer.ops import results
from page_cases import (
    OPERATORS,
    OWN,
    SHARED,
    STATEFUL,
    Array,
    case,
    click,
    examined,
    html,
    number,
    step,
)

pytestmark = pytest.mark.xdist_group("browser")  # one worker, one browser


def own_values(page: Page, layer: int, form: str = "formOf(model.layers[i])") -> list[Array] | None:
    """The layer's outputs by the page's arithmetic, from its inputs; None if it has none of it."""
    found = page.evaluate(
        f"""(i) => {{
          const layer = model.layers[i];
          const kind = KINDS[layer.kind];
          if (!kind) return null;
          const run = model.recorded[0];
          const operands = layer.inputs.map((index) => model.constants[index] || run[index]);
          return layer.outputs.map((index, output) => Array.from(run[index],
            (_, flat) => kind.value(layer, flat, operands, {form}, output)));
        }}""",
        layer,
    )
    return None if found is None else [np.array(values) for values in found]


# -- every element, by the page's own arithmetic ---------------------------------------------------


@pytest.mark.parametrize(
    ("name", "numerics"),
    [*((name, "tflm") for name in (*OWN, *OPERATORS, *SHARED)), ("digits", "litert"),
     ("unet_int16", "litert")],
)  # fmt: skip
def test_arithmetic_of_every_element_equals_the_interpreter(
    name: str, numerics: str, show: Open
) -> None:
    page = show(html(name, numerics, computes="no"))
    compared = set()
    for layer in case(name, numerics).trace:
        found = own_values(page, layer.index)
        if found is None:
            continue
        for values, expected in zip(found, layer.outputs, strict=True):
            written = np.not_equal(values, None)  # None: written by a layer that moves elements
            same = values[written] == expected[0].reshape(-1)[written]
            assert same.all(), (layer.index, layer.node.op)
            compared.add(layer.node.op)
    assert compared


def test_the_page_computes_what_these_models_are_made_of(show: Open) -> None:
    """So that the test above cannot pass by skipping."""
    page = show(html("digits", computes="no"))
    assert all(own_values(page, i) for i in range(11))


# -- pointing at elements --------------------------------------------------------------------------


def accumulator(x: Array, weights: Array, bias: Array, at: tuple[int, ...], depthwise: bool) -> int:
    """A 3x3 SAME convolution of stride 1 at one element, written down directly; zero point -128."""
    _, y, column, channel = at
    total = int(bias[channel])
    for ky in range(3):
        for kx in range(3):
            row, col = y + ky - 1, column + kx - 1
            if not (0 <= row < x.shape[1] and 0 <= col < x.shape[2]):
                continue
            if depthwise:
                total += int(weights[0, ky, kx, channel]) * (int(x[0, row, col, channel]) + 128)
            else:
                for i in range(x.shape[3]):
                    total += int(weights[channel, ky, kx, i]) * (int(x[0, row, col, i]) + 128)
    return total


def test_clicked_elements_show_their_arithmetic(show: Open) -> None:
    found = case("digits")
    graph = found.interpreter.graph
    page = show(html("digits"))
    rng = np.random.default_rng(11)
    for layer in (0, 1):
        node = graph.nodes[layer]
        page.select_option("#layer", str(layer))
        assert examined(page) == "equal"
        weights, bias = (graph.tensors[i].data for i in node.inputs[1:])
        x, output = (found.trace.tensor(i)[0] for i in (node.inputs[0], node.outputs[0]))
        corners = [(0, 0, 0), (7, 7, 23), (0, 7, 5)]
        for y, column, channel in corners + [tuple(rng.integers(0, 8, 3)) for _ in range(5)]:
            page.fill("#output-0 >> xpath=.. >> input[type=number]", str(channel))
            page.keyboard.press("Enter")
            click(page, "#output-0", y, column)
            at = (0, int(y), int(column), int(channel))
            assert number(page.inner_text("#recorded")) == output[at]
            assert f"output[{', '.join(map(str, at))}]" in page.inner_text("#element")
            expected = accumulator(x, weights, bias, at, depthwise=layer == 1)
            assert step(page, "+ bias") == expected
            assert step(page, "output") == output[at]
            padded = 9 - (3 - (y in (0, 7))) * (3 - (column in (0, 7)))
            assert page.locator("#terms tbody tr").count() == 9
            assert page.locator("#terms tbody tr.padding").count() == padded


def test_the_receptive_field_lights_up(show: Open) -> None:
    page = show(html("digits"), "#layer=1&at=0,0,5,7")
    field = page.evaluate("[...operandViews[0].made.state.field]")
    outside = page.evaluate("[...operandViews[0].made.state.outside]")
    assert sorted(field) == sorted(
        (row * 8 + column) * 24 + 7 for row in (0, 1) for column in (4, 5, 6)
    )
    assert outside == ["-1,4,7", "-1,5,7", "-1,6,7"]
    assert page.evaluate("operandViews[0].made.channel") == 7
    # The picture has a frame of padding, which shows the zero point.
    places = "[[0, 0], [1, 1], [8, 8], [9, 9]]"
    layout = "operandViews[0].made.layout"
    indices = page.evaluate(f"{places}.map(([row, column]) => {layout}.index(row, column, 7))")
    assert indices == [-1, 7, 63 * 24 + 7, -1]
    assert page.evaluate(f"{layout}.rows") == page.evaluate(f"{layout}.columns") == 10
    assert page.evaluate("operandViews[0].made.value(0, 5)") == -128


def test_the_window_of_each_channel_can_be_chosen(show: Open) -> None:
    """Of an image of one row, whose picture shows all channels at once; and of others."""
    for name, layer in (("gesture", 1), ("unet_int8", 0)):
        found = case(name)
        node = found.interpreter.graph.nodes[layer]
        weights = found.interpreter.graph.tensors[node.inputs[1]].data
        assert weights is not None
        page = show(html(name, computes="no"), f"#layer={layer}")
        channel = page.evaluate("view.flat") % weights.shape[0]
        for i in range(weights.shape[3]):
            cells = page.locator(".windows figure").nth(1).locator("span").all_inner_texts()
            assert [number(cell) for cell in cells] == weights[channel, :, :, i].reshape(
                -1
            ).tolist()
            if weights.shape[3] > 1:
                page.click("[aria-label='Window of the next channel']")


def test_keys_step_through_layers_and_elements(show: Open) -> None:
    page = show(html("digits"), "#layer=2&at=0,3,3,4")
    page.keyboard.press("n")
    assert page.evaluate("view.layer") == 3
    page.keyboard.press("p")
    page.focus("#output-0")
    for key, at in (("ArrowRight", "0, 4, 5, 0"), ("ArrowDown", "0, 5, 5, 0"), ("+", "0, 5, 5, 1")):
        page.keyboard.press(key)
        assert f"output[{at}]" in page.inner_text("#element")
    page.keyboard.press("r")
    assert page.get_attribute("#single", "aria-pressed") == "true"
    assert "layer=2&at=0,5,5,1&single=1" in page.url


def test_a_value_that_the_arithmetic_does_not_give_is_shown_as_an_error(show: Open) -> None:
    found = case("digits")
    page = show(html("digits", computes="no"), "#layer=1&at=0,2,2,2")
    assert page.locator("#mismatch").count() == 0
    index = found.interpreter.graph.nodes[1].outputs[0]
    page.evaluate(f"values[{index}][ravel([0, 2, 2, 2], [1, 8, 8, 24])] += 1; showValues()")
    assert "differs from the run" in page.inner_text("#mismatch")
    assert examined(page) == "different"
    assert "1 of 1536" in page.inner_text("#check")


# -- rounding --------------------------------------------------------------------------------------


def half_away(numerator: int, exponent: int) -> int:
    """numerator / 2^exponent, ties away from zero, in Python's integers."""
    size = (2 * abs(numerator) + 2**exponent) // 2 ** (exponent + 1)
    return size if numerator >= 0 else -size


def half_up(numerator: int, exponent: int) -> int:
    return (2 * numerator + 2**exponent) // 2 ** (exponent + 1)


def test_roundings_at_ties_and_at_random(show: Open) -> None:
    page = show(html("gesture", computes="no"))
    rng = np.random.default_rng(7)
    cases = [(acc, 2**30, shift) for acc in range(-9, 10) for shift in (-3, -2, -1, 0, 1)]
    cases += [
        (int(rng.integers(-(2**20), 2**20)), int(rng.integers(2**30, 2**31)), int(shift))
        for shift in rng.integers(-12, 3, 300)
    ]
    roundings = {
        "single": lambda acc, m, s: half_up(acc * m, 31 - s),
        "double": lambda acc, m, s: half_away(half_up(acc * 2 ** max(s, 0) * m, 31), max(-s, 0)),
        "int64": lambda acc, m, s: half_up(acc * min((m + 2**15) >> 16, 2**15 - 1), 15 - s),
        "float64": lambda acc, m, s: half_away(acc * m, 31 - s),
    }
    for name, rounding in roundings.items():
        places = [(a, m, 31 - s) if name == "float64" else (a, m, s) for a, m, s in cases]
        found = page.evaluate(f"(cases) => cases.map((c) => ROUNDINGS.{name}(...c))", places)
        assert found == [rounding(*case) for case in cases], name


def single_rounding(acc: int, multiplier: int, shift: int) -> int:
    """floor(acc * multiplier / 2^(31 - shift) + 1/2), in Python's integers."""
    return (2 * acc * multiplier + 2 ** (31 - shift)) // 2 ** (32 - shift)


def test_single_rounding_flips_the_elements_that_numpy_says(show: Open) -> None:
    name = "mlperf_kws_int8"
    found = case(name)
    page = show(html(name, computes="no"))
    page.click("#single")
    flips = 0
    for layer in found.interpreter.layers[:5]:
        params, index = layer.params, layer.node.outputs[0]
        x, output = found.trace.tensor(layer.node.inputs[0])[:1], found.trace.tensor(index)[0]
        acc = weighted.accumulators(layer, x, output.shape)[0].reshape(-1, len(params.multipliers))
        scales = list(zip(params.multipliers.tolist(), params.shifts.tolist(), strict=True))
        once = np.array(
            [
                [single_rounding(int(a), m, s) for a, (m, s) in zip(row, scales, strict=True)]
                for row in acc
            ]
        )
        once += params.output_zero_point
        once = np.clip(once, params.activation_min, params.activation_max)
        expected = np.flatnonzero(once.reshape(-1) != output.reshape(-1))
        page.select_option("#layer", str(layer.index))
        assert examined(page) == "equal"
        marked = page.evaluate("[...outputViews[0].made.state.flipped]")
        assert marked == expected.tolist()
        assert int(page.get_attribute("#flips", "data-count") or -1) == len(expected)
        flips += len(expected)
        if len(expected):
            page.click("#flipped")
            flat = page.evaluate("view.flat")
            assert flat in expected
            assert step(page, "output") == once.reshape(-1)[flat]
            assert number(page.inner_text("#recorded")) == output.reshape(-1)[flat]
    assert flips > 0


# -- the model in the page -------------------------------------------------------------------------


needs_clang = pytest.mark.skipif(bool(wasm.missing_tool()), reason="needs clang and wasm-ld")


@needs_clang
@pytest.mark.parametrize(
    "name",
    ["digits", "gesture", "unet_int16", *STATEFUL, "mlperf_kws_int8"]
    + [pytest.param(name, marks=pytest.mark.full) for name in ("vibration", *OPERATORS)],
)
def test_the_c_in_the_page_computes_every_tensor(name: str, show: Open) -> None:
    found = case(name)
    graph = found.interpreter.graph
    page = show(html(name))
    assert page.evaluate("model.wasm !== null")
    for sample in range(len(found.inputs[0])):
        values = page.evaluate(
            """(sample) => {
              const sequence = model.recorded.slice(model.has_state ? 0 : sample, sample + 1);
              const values = runner.run(sequence);
              const plain = Object.entries(values).map(([i, v]) => [i, Array.from(v, Number)]);
              return Object.fromEntries(plain);
            }""",
            sample,
        )
        computed = {str(index) for node in graph.nodes for index in results(node)}
        assert computed <= set(values)
        for index in computed:
            expected = found.trace.tensor(int(index))[sample].reshape(-1)
            np.testing.assert_array_equal(np.array(values[index], expected.dtype), expected)


@needs_clang
def test_painting_the_input_computes_all_layers_again(show: Open) -> None:
    found = case("digits")
    page = show(html("digits"), "#layer=2&at=0,4,4,3")
    page.fill("#value", "-100")
    for row, column in ((3, 3), (4, 4), (5, 2)):
        click(page, "#port-0", row, column)
    sample = found.inputs[0][0].copy()
    sample[0, [3, 4, 5], [3, 4, 2], 0] = -100
    trace = found.interpreter.trace(sample)
    expected = trace[2].outputs[0]
    assert number(page.inner_text("#recorded")) == expected[0, 4, 4, 3]
    assert expected[0, 4, 4, 3] != found.trace[2].outputs[0][0, 0, 4, 4, 3]
    assert examined(page) == "equal"
    for layer in trace:
        shown = page.evaluate(f"Array.from(values[{layer.node.outputs[0]}])")
        np.testing.assert_array_equal(np.array(shown), layer.outputs[0].reshape(-1))
    bars = page.locator(".bars .amount").all_inner_texts()
    assert [number(text.split(" = ")[0]) for text in bars] == trace[10].outputs[0][0].tolist()
    page.click("#restore")
    before = found.trace[2].outputs[0][0, 0, 4, 4, 3]
    assert number(page.inner_text("#recorded")) == before


@needs_clang
def test_painting_with_the_keyboard_and_state_of_earlier_samples(show: Open) -> None:
    name = "lstm_int8"
    found = case(name)
    page = show(html(name))
    page.select_option("#sample", "1")
    page.fill("#value", "99")
    page.focus("#port-0")
    page.keyboard.press("ArrowRight")
    page.keyboard.press("Enter")
    changed = [found.inputs[0][:2].copy()]
    changed[0][1].reshape(-1)[page.evaluate("portViews[0].made.state.selected")] = 99
    found.interpreter.reset()
    (expected,) = found.interpreter.run(*changed)
    found.interpreter.reset()
    index = found.interpreter.graph.outputs[0]
    shown = page.evaluate(f"Array.from(values[{index}])")
    np.testing.assert_array_equal(np.array(shown), expected[1].reshape(-1))
    assert (expected[1] != found.trace.tensor(index)[1]).any()


def test_without_clang_the_page_has_the_recorded_values(
    show: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(wasm, "COMPILER", "no-such-clang")
    found = case("gesture")
    with pytest.raises(
        mi.ToolchainError, match=r"there is no no-such-clang.*apt install clang lld"
    ):
        explain_page(found.interpreter, *found.inputs, computes="yes")
    page = show(explain_page(found.interpreter, *found.inputs))
    assert page.evaluate("model.wasm") is None
    assert "cannot be changed" in page.inner_text("#model-about")
    assert not page.is_visible("#brush")
    page.select_option("#layer", "7")
    for sample in (0, 1, 2):
        page.select_option("#sample", str(sample))
        assert examined(page) == "equal"
        page.focus("#output-0")
        for _ in range(3):
            page.keyboard.press("ArrowLeft")
        assert number(page.inner_text("#recorded")) == found.trace[7].outputs[0][sample, 0, 0]


@needs_clang
def test_where_webassembly_is_refused_the_values_are_recorded(show: Open) -> None:
    broken = html("gesture").replace('"wasm": "', '"wasm": "AAAA')
    assert broken != html("gesture")
    page = show(broken, "#layer=1")
    assert "does not run WebAssembly" in page.inner_text("#model-about")
    assert examined(page) == "equal"


# -- layers whose arithmetic is not in the page ----------------------------------------------------


def test_other_layers_have_explanations_of_some_elements(show: Open) -> None:
    found = case("lstm_int8")
    page = show(html("lstm_int8"))
    buttons = page.locator("button.other")
    assert buttons.count() == 8
    page.select_option("#sample", "1")
    buttons.nth(5).click()
    at = tuple(page.evaluate("unravel(view.flat, outputShape())"))
    expected = mi_explain(found.interpreter, found.trace, 0, at, 1)
    values = page.locator(".derivation dd[data-step]").all_inner_texts()
    assert [number(value) for value in values] == [step.value for step in expected.steps]
    assert number(page.inner_text("#recorded")) == expected.output
    page.focus("#output-0")
    page.keyboard.press("ArrowRight")
    assert page.locator(".derivation").count() == 0  # not one of them: no guess
    assert buttons.count() == 8


def test_the_terms_of_a_recorded_explanation_light_up(show: Open) -> None:
    page = show(html("transformer_int8", computes="no"), "#layer=14&at=0,1,4,0")
    field = page.evaluate("[...operandViews[0].made.state.field]")
    assert sorted(field) == [(8 + 4) * 8 + k for k in range(8)]  # row 4 of head 1, left side
    assert page.locator("#terms tbody tr").count() == 8
