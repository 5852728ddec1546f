"use strict";
/* Layers whose arithmetic is not in this page: explanations of some elements, made with it. */

/* As KINDS[...].explain gives it. ``unchanged``: the values are those of the sample. */
function explainedBefore(layer, view, unchanged) {
  const own = (layer.explained || []).filter((found) => found.sample === view.sample && found.output === view.output);
  const nothing = { columns: [], rows: [], steps: [], output: null };
  if (!own.length) return { ...nothing, equation: `${layer.op} computes nothing that could be explained.` };
  if (!unchanged) return { ...nothing, equation: `${layer.op}: explained for the samples as they are, not for a painted input.` };
  const found = own.find(({ flat }) => flat === view.flat);
  if (!found) {
    return { ...nothing, equation: own[0].formula, others: own.map(({ flat }) => flat) };
  }
  return {
    equation: found.formula, output: null, others: own.map(({ flat }) => flat),
    columns: found.terms.length ? Object.keys(found.terms[0].values) : [],
    rows: found.terms.map(({ tensor, at, padded, values }) => {
      const cells = Object.values(values);
      const operand = layer.inputs.indexOf(tensor); // -1: of a state, which is not shown
      const { shape } = model.tensors[tensor];
      const fits = operand >= 0 && !padded && at.length === shape.length;
      return { operand, index: fits ? ravel(at, shape) : -1, place: at, padded, cells, size: Number(cells[cells.length - 1]) };
    }),
    steps: found.steps.map(({ title, formula, value, note, detail }) => ({ name: title, value,
      note: [formula, note].filter(Boolean).join("; "), detail })),
  };
}

/* Buttons for the elements that were explained. */
function otherElements(explained, about) {
  const shape = outputShape();
  return element("p", { class: "small" }, "Explained in this file: ", ...explained.others.map((flat) => {
    const button = element("button", { type: "button", class: "other" }, `[${unravel(flat, shape).join(", ")}]`);
    button.addEventListener("click", () => about.choose(flat));
    return button;
  }));
}
