"use strict";
/* The page: which layer, which element, which sample; everything else is drawn from that. */

const model = JSON.parse(document.getElementById("model").textContent);
const by = (id) => document.getElementById(id);
const MOST_TAPS = 4e7; // products that checking a whole layer may take

const LIMITS = { int8: [-128, 127], uint8: [0, 255], int16: [-32768, 32767], bool: [0, 1],
  int32: [-(2 ** 31), 2 ** 31 - 1] };
const view = { layer: 0, output: 0, flat: 0, sample: 0, single: false, tap: 0 };
let runner = null;
let values = {};
let edited = {};      // model inputs that were painted, by sample
let operandViews = [];
let outputViews = [];
let portViews = [];
let pending = 0;

function prepareModel() {
  const constants = {};
  for (const [index, tensor] of Object.entries(model.tensors)) {
    if (tensor.data !== undefined) constants[index] = decode(tensor.type, tensor.data);
  }
  model.constants = constants;
  model.recorded = model.samples.map((sample) => Object.fromEntries(
    Object.entries(sample).map(([index, data]) => [index, decode(model.tensors[index].type, data)])));
  for (const layer of model.layers) {
    layer.params = decodeParams(layer.params);
    layer.sources = (layer.sources || []).map(({ type, data }) => decode(type, data));
    layer.limits = layer.outputs.length ? LIMITS[model.tensors[layer.outputs[0]].type] : null;
  }
}

const valuesOf = (index) => model.constants[index] || values[index];
const inputsOf = (sample) => edited[sample]
  || Object.fromEntries(model.inputs.map((index) => [index, model.recorded[sample][index]]));

/* Values of the sample: the model's own, or those that were recorded. Whether the model takes its
 * inputs: not, for example, a place that a table lacks. */
function compute() {
  values = model.recorded[view.sample];
  if (!runner || !Object.keys(edited).length) return true;
  const first = model.has_state ? 0 : view.sample;
  const sequence = [];
  for (let sample = first; sample <= view.sample; sample++) sequence.push(inputsOf(sample));
  const computed = runner.run(sequence);
  if (computed) values = computed;
  return computed !== null;
}

/* -- the layer ---------------------------------------------------------------------------------- */

const current = () => model.layers[view.layer];
const outputIndex = () => current().outputs[view.output];
const outputShape = () => model.tensors[outputIndex()].shape;
const operands = () => current().inputs.map((index) => valuesOf(index));
const shown = (layer) => layer.inputs.filter((index) => index >= 0 && model.tensors[index]);

function buildLayer() {
  const layer = current();
  const padding = paddingOf(layer);
  operandViews = [];
  outputViews = [];
  by("operands").replaceChildren();
  by("output").replaceChildren();
  shown(layer).forEach((index, position) => {
    const tensor = model.tensors[index];
    const title = layer.inputs.length > 1 ? `Input ${position + 1}` : "Input";
    const layout = layoutOf(tensor.shape, layer.kind === "weighted" && position === 0 ? padding : null);
    const made = new TensorView({ id: `operand-${position}`, title, tensor, layout, picture: model.inputs.includes(index) });
    made.changed = () => showElement(false);
    by("operands").append(made.root);
    operandViews.push({ index, made });
  });
  layer.outputs.forEach((index, position) => {
    const tensor = model.tensors[index];
    const title = layer.outputs.length > 1 ? `Output ${position + 1}` : "Output";
    const made = new TensorView({ id: `output-${position}`, title, tensor, layout: layoutOf(tensor.shape),
      select: (flat) => choose(flat, position) });
    by("output").append(made.root);
    outputViews.push({ index, made });
  });
  by("layer").value = view.layer;
  by("previous").disabled = view.layer === 0;
  by("next").disabled = view.layer === model.layers.length - 1;
  const rounds = formOf(layer) === "double";
  by("single").disabled = !rounds;
  by("single").title = rounds ? "r" : "This layer has no double rounding";
  drawArena(by("arena"), model, view.layer, goTo);
  showArenaText();
}

function goTo(layer) {
  view.layer = clamp(layer, 0, model.layers.length - 1);
  view.output = 0;
  view.tap = 0;
  view.flat = current().outputs.length ? firstElement() : 0;
  buildLayer();
  showValues();
}

/* What to show at first: of a vector the largest element; else the one in the middle of the first
 * channel, as borders are special; of a layer that was explained before, such an element. */
function firstElement() {
  const shape = outputShape();
  const found = (current().explained || []).find(({ sample, output }) => sample === view.sample && output === view.output);
  if (found) return found.flat;
  if (shape.length <= 2) {
    const numbers = Array.from(values[outputIndex()] || model.recorded[view.sample][outputIndex()], Number);
    return numbers.reduce((best, number, flat) => (number > numbers[best] ? flat : best), 0);
  }
  return ravel(shape.map((extent, axis) =>
    (shape.length > 2 && axis === shape.length - 1 ? 0 : Math.floor(extent / 2))), shape);
}

function choose(flat, output = view.output) {
  view.flat = flat;
  view.output = output;
  showElement(true);
}

/* Everything of the layer, after its values may have changed. */
function showValues() {
  for (const { index, made } of operandViews) made.update({ values: valuesOf(index) });
  for (const { index, made } of outputViews) made.update({ values: values[index], flipped: null });
  if (current().outputs.length) showElement(true);
  else {
    by("arithmetic").replaceChildren(element("p", { class: "muted" }, "This layer computes nothing."));
    remember();
  }
  examine();
}

function explainElement() {
  const layer = current();
  const kind = KINDS[layer.kind];
  const recorded = Number(values[outputIndex()][view.flat]);
  if (!kind) return { ...explainedBefore(layer, view, values === model.recorded[view.sample]), recorded };
  const form = view.single && formOf(layer) === "double" ? "single" : formOf(layer);
  return { ...kind.explain(layer, view.flat, operands(), form, view.output), recorded };
}

/* The selected element; ``moves`` shows the channel in which it and its field lie. */
function showElement(moves) {
  const layer = current();
  const explained = explainElement();
  outputViews.forEach(({ made }, position) => {
    made.update({ selected: position === view.output ? view.flat : -1 });
    if (moves && position === view.output) made.reveal(view.flat);
  });
  operandViews.forEach(({ made, index }, operand) => {
    const rows = explained.rows.filter((row) => row.operand === operand);
    const field = new Set(rows.filter((row) => row.index >= 0).map((row) => row.index));
    const outside = new Set(rows.filter((row) => row.index < 0).map((row) => String(row.place)));
    made.state = { ...made.state, field: rows.length ? field : null, outside, selected: -1 };
    const channels = made.layout.channels;
    const reads = [...field];
    const channel = reads.length ? made.layout.find(reads[0]).channel : made.channel;
    const has = reads.some((flat) => made.layout.find(flat).channel === made.channel);
    made.caption = reads.length === 0 ? "" : reads.length === 1
      ? made.say(reads[0]) : `${text(reads.length)} of ${text(sizeOf(model.tensors[index].shape))} elements are read`;
    if (moves && channels > 1 && !has) showQuietly(made, channel);
    else made.draw();
  });
  const first = operandViews.length ? operandViews[0].made : null;
  showArithmetic(by("arithmetic"), explained, {
    title: `Layer ${view.layer} ${layer.op}, ${model.labels[view.sample]}`,
    at: unravel(view.flat, outputShape()), recorded: explained.recorded, layer, single: view.single,
    channel: first && first.layout.channels > 1 ? first.channel : view.tap + baseChannel(layer), base: baseChannel(layer), pick,
    shapes: layer.inputs.map((index) => (model.tensors[index] ? model.tensors[index].shape : [])), hover, choose,
  });
  remember();
}

/* The input channel whose window is shown: the picture's, if it has a choice of them. */
function pick(channel) {
  const first = operandViews[0].made;
  if (first.layout.channels > 1) {
    first.show(channel);
  } else {
    view.tap = channel - baseChannel(current());
    showElement(false);
  }
}

function showQuietly(made, channel) {
  const { changed } = made;
  made.changed = null;
  made.show(channel);
  made.changed = changed;
}

/* The first input channel that the selected output reads. */
function baseChannel(layer) {
  const p = layer.params;
  if (layer.op === "DEPTHWISE_CONV_2D") return Math.floor((view.flat % p.output_channels) / p.depth_multiplier);
  if (layer.op !== "CONV_2D") return 0;
  const groupOutputs = p.output_channels / (p.input_channels / p.group_channels);
  return Math.floor((view.flat % p.output_channels) / groupOutputs) * p.group_channels;
}

/* Points at what a term reads. */
function hover(row) {
  operandViews.forEach(({ made }, operand) => {
    const flat = row && row.operand === operand ? row.index : -1;
    made.state.selected = flat;
    if (flat >= 0) showQuietly(made, made.layout.find(flat).channel);
    else made.draw();
  });
}

/* -- the page checks itself, and counts what another rounding changes ---------------------------- */

function taps(layer) {
  const p = layer.params;
  const outputs = sizeOf(model.tensors[layer.outputs[0]].shape);
  if (layer.kind === "weighted") return outputs * (p.weights.length / (p.output_channels || p.output_size));
  return outputs * (layer.kind === "mean" ? p.count : layer.kind === "softmax" ? p.depth : 1);
}

function examine() {
  const layer = current();
  const kind = KINDS[layer.kind];
  const ticket = ++pending;
  by("flips").textContent = "";
  by("check").className = "badge muted";
  by("check").dataset.state = "none";
  if (!kind || !layer.outputs.length) {
    by("check").textContent = "shown as the run has it";
    return;
  }
  if (taps(layer) > MOST_TAPS) {
    by("check").textContent = "too large to check as a whole here";
    return;
  }
  by("check").textContent = "checking …";
  by("check").dataset.state = "busy";
  setTimeout(() => {
    if (ticket === pending) showExamined(layer, kind);
  }, 30);
}

function showExamined(layer, kind) {
  const form = formOf(layer);
  const single = view.single && form === "double";
  const xs = operands();
  let wrong = 0;
  let elements = 0;
  layer.outputs.forEach((index, output) => {
    if (layer.kind === "moved" && !layer.sources[output]) return;
    const recorded = values[index];
    const flipped = new Set();
    elements += recorded.length;
    for (let flat = 0; flat < recorded.length; flat++) {
      const value = kind.value(layer, flat, xs, form, output);
      if (value !== null && Number(value) !== Number(recorded[flat])) wrong++;
      if (single && kind.value(layer, flat, xs, "single") !== recorded[flat]) flipped.add(flat);
    }
    if (single) {
      outputViews[output].made.update({ flipped });
      const share = ((100 * flipped.size) / recorded.length).toPrecision(2);
      by("flips").replaceChildren(flipped.size
        ? `${text(flipped.size)} of ${text(recorded.length)} elements flip (${Number(share)} %) `
        : `none of ${text(recorded.length)} elements flips`);
      by("flips").dataset.count = flipped.size;
      if (flipped.size) by("flips").append(nextFlipped([...flipped]));
    }
  });
  const badge = by("check");
  badge.dataset.state = wrong ? "different" : "equal";
  badge.className = wrong ? "badge bad" : "badge good";
  badge.textContent = wrong ? `${text(wrong)} of ${text(elements)} elements differ from the run`
    : `✓ ${text(elements)} elements computed again here: equal`;
}

/* Goes from one element that another rounding changes to the next. */
function nextFlipped(flipped) {
  const button = element("button", { type: "button", id: "flipped" }, "Show the next");
  button.addEventListener("click", () => choose(flipped.find((flat) => flat > view.flat) ?? flipped[0]));
  return button;
}

/* -- the whole ----------------------------------------------------------------------------------- */

function showArenaText() {
  const { arena, layers } = model;
  const here = inUse(arena, view.layer);
  by("arena-about").replaceChildren(
    `Left to right the ${layers.length} layers, upwards the addresses of ${text(arena.bytes)} bytes of RAM. ${here} are in use at layer ${view.layer}: `,
    element("span", { class: "key read" }, "read"), " ", element("span", { class: "key written" }, "written"), " ",
    element("span", { class: "key scratch" }, "scratch"), " ", element("span", { class: "key alive" }, "kept for later"), ".");
}

/* The place in the address, so that it can be sent. */
function remember() {
  const words = [`layer=${view.layer}`];
  if (current().outputs.length) words.push(`at=${unravel(view.flat, outputShape()).join(",")}`);
  if (view.output) words.push(`output=${view.output}`);
  if (view.sample) words.push(`sample=${view.sample}`);
  if (view.single) words.push("single=1");
  history.replaceState(null, "", `#${words.join("&")}`);
}

function recall() {
  const { layer, output, at: place, sample } = model.start;
  const first = { layer, output, sample, ...(place ? { at: place.join(",") } : {}) };
  const asked = new URLSearchParams(location.hash.slice(1) || first);
  view.sample = clamp(Number(asked.get("sample")) || 0, 0, model.samples.length - 1);
  view.layer = clamp(Number(asked.get("layer")) || 0, 0, model.layers.length - 1);
  view.output = clamp(Number(asked.get("output")) || 0, 0, Math.max(current().outputs.length - 1, 0));
  view.single = asked.get("single") === "1";
  if (!current().outputs.length) return;
  const shape = outputShape();
  const at = (asked.get("at") || "").split(",").map(Number);
  const fits = asked.get("at") !== null && at.length === shape.length
    && at.every((index, axis) => Number.isInteger(index) && index >= 0 && index < shape[axis]);
  view.flat = fits ? ravel(at, shape) : firstElement();
}

function showAll() {
  by("sample").value = view.sample;
  by("single").setAttribute("aria-pressed", view.single);
  compute();
  buildLayer();
  showValues();
  showPorts();
}

function listen() {
  by("previous").addEventListener("click", () => goTo(view.layer - 1));
  by("next").addEventListener("click", () => goTo(view.layer + 1));
  by("layer").addEventListener("change", () => goTo(Number(by("layer").value)));
  by("sample").addEventListener("change", () => { view.sample = Number(by("sample").value); showAll(); });
  by("single").addEventListener("click", () => {
    view.single = !view.single;
    by("single").setAttribute("aria-pressed", view.single);
    showValues();
  });
  by("value").addEventListener("input", () => { by("slider").value = by("value").value; });
  by("slider").addEventListener("input", () => { by("value").value = by("slider").value; });
  by("restore").addEventListener("click", () => { delete edited[view.sample]; showAll(); });
  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || event.target.closest("input, select")) return;
    if (event.key === "n" && view.layer < model.layers.length - 1) goTo(view.layer + 1);
    else if (event.key === "p" && view.layer > 0) goTo(view.layer - 1);
    else if (event.key === "r" && !by("single").disabled) by("single").click();
  });
  const redraw = () => {
    for (const { made } of [...operandViews, ...outputViews, ...portViews]) made.draw();
    drawArena(by("arena"), model, view.layer, goTo);
  };
  window.matchMedia("(prefers-color-scheme: dark)").addEventListener("change", redraw);
  window.addEventListener("resize", redraw);
  window.addEventListener("hashchange", () => { recall(); showAll(); });
}

async function start() {
  prepareModel();
  by("about").textContent = `${model.layers.length} layers, computed as ${model.runtime} does (${model.numerics}). `
    + "Choose a layer, then an element of its output: what it reads lights up in the input, and its arithmetic stands beside it.";
  model.layers.forEach((layer, index) => by("layer").append(
    element("option", { value: index }, `${index} ${layer.op} → ${layer.outputs.map((i) => model.tensors[i].shape.join("×")).join(", ")}`)));
  model.labels.forEach((label, index) => by("sample").append(element("option", { value: index }, label)));
  by("samples").classList.toggle("hidden", model.samples.length === 1);
  if (model.wasm) {
    try {
      runner = await Runner.load(model);
    } catch { // a browser that refuses WebAssembly: the recorded values are there
      runner = null;
    }
  }
  recall();
  listen();
  buildPorts();
  showAll();
  document.body.dataset.ready = "yes";
}

start();
