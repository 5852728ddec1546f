"use strict";
/* The model's own input, which can be painted, and its output. */

function buildPorts() {
  by("ports").replaceChildren();
  portViews = model.inputs.map((index, position) => {
    const tensor = model.tensors[index];
    const made = new TensorView({ id: `port-${position}`, title: model.inputs.length > 1 ? `Input ${position + 1}` : "Input",
      tensor, layout: layoutOf(tensor.shape), picture: true, highest: 380,
      select: (flat) => made.update({ selected: flat }), paint: runner ? (flat) => paint(index, made, flat) : null });
    by("ports").append(made.root);
    return { index, made };
  });
  const range = LIMITS[model.tensors[model.inputs[0]].type];
  for (const name of ["value", "slider"]) {
    if (range) [by(name).min, by(name).max] = range;
    by(name).value = range ? range[1] : 0;
  }
  by("slider").classList.toggle("hidden", !range || range[1] > 2 ** 16);
  by("brush").classList.toggle("hidden", !runner);
  by("model-about").textContent = runner
    ? "The generated C runs in this page. Paint the input with the brush, or with Enter: every layer is computed again."
    : model.wasm ? "This browser does not run WebAssembly: the values are recorded, and the input cannot be changed."
      : "The values of this page are recorded: it was made without clang and wasm-ld, so the input cannot be changed.";
}

/* Sets an element, in the picture's colours all three channels, to the brush's value. */
function paint(index, made, flat) {
  const type = model.tensors[index].type;
  const range = LIMITS[type] || [-Infinity, Infinity];
  const value = clamp(Number(by("value").value) || 0, ...range);
  const before = edited[view.sample];
  edited[view.sample] = Object.fromEntries(Object.entries(inputsOf(view.sample)).map(([i, array]) => [i, array.slice()]));
  const array = edited[view.sample][index];
  const at = made.layout.find(flat);
  const channels = made.colour ? made.layout.channels : 1;
  for (let i = 0; i < channels; i++) {
    array[channels > 1 ? made.layout.index(at.row, at.column, i) : flat] = type === "int64" ? BigInt(value) : value;
  }
  made.update({ selected: flat });
  const taken = compute();
  by("refused").classList.toggle("hidden", taken);
  if (!taken) {
    if (before) edited[view.sample] = before;
    else delete edited[view.sample];
    compute();
  }
  showPorts();
  showValues();
}

function showPorts() {
  for (const { index, made } of portViews) made.update({ values: inputsOf(view.sample)[index] });
  by("restore").disabled = !edited[view.sample];
  by("results").replaceChildren(...model.outputs.map((index) => bars(index)));
}

/* A model output: a bar per value if they are few. */
function bars(index) {
  const tensor = model.tensors[index];
  const numbers = Array.from(values[index], Number);
  const figure = element("figure", { class: "view" }, element("h3", {}, "Output"),
    element("figcaption", {}, element("span", { class: "mono" }, shortName(tensor.name)), element("br"), `${tensor.type} ${tensor.shape.join("×")}`));
  if (numbers.length > 24) {
    const made = new TensorView({ id: `result-${index}`, title: "Output", tensor, layout: layoutOf(tensor.shape), highest: 380 });
    requestAnimationFrame(() => made.update({ values: values[index] }));
    return made.root;
  }
  const [low, high] = LIMITS[tensor.type] || [Math.min(...numbers, 0), Math.max(...numbers, 1)];
  const most = Math.max(...numbers);
  const list = element("ol", { class: "bars", start: 0 });
  numbers.forEach((number, i) => {
    const real = tensor.scale === null ? "" : ` = ${text(Number((tensor.scale * (number - tensor.zero_point)).toPrecision(4)))}`;
    list.append(element("li", { class: number === most ? "most" : "" }, element("span", { class: "index" }, String(i)),
      element("span", { class: "track" }, element("span", { class: "bar", style: `width: ${(100 * (number - low)) / (high - low)}%` })),
      element("span", { class: "amount" }, `${text(number)}${real}`)));
  });
  figure.append(list);
  return figure;
}
