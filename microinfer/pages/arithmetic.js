"use strict";
/* The arithmetic of one output element, by the kind of its layer: KINDS[kind] has
 *
 *   value(layer, flat, operands, form)    the element, as fast as can be
 *   explain(layer, flat, operands, form)  {equation, columns, rows, steps, output}
 *
 * ``form`` is a rounding of ROUNDINGS. A row of ``rows`` is a term: {operand, index, place, cells,
 * size}, with the flat index of what it reads (-1: padding at ``place``), and its share of the sum.
 */

const clamp = (value, low, high) => Math.min(Math.max(value, low), high);

/* A name less its zero point, as a formula. */
function less(name, zeroPoint, bare = false) {
  if (!zeroPoint) return name;
  const formula = `${name} − ${zeroPoint < 0 ? `(${text(zeroPoint)})` : text(zeroPoint)}`;
  return bare ? formula : `(${formula})`;
}

/* The rounding of a layer's own; null if it has none that could be another. */
function formOf(layer) {
  const p = layer.params;
  if (layer.kind === "weighted") {
    if (p.mantissas) return "float64";
    return p.double_rounding === 0 ? "int64" : "double";
  }
  return ["add", "mul", "mean"].includes(layer.kind) ? "double" : null;
}

/* Zero point and clamp, which end most layers; p.activation_* or the type's limits. */
function finish(layer, rounded, steps) {
  const p = layer.params;
  const zeroPoint = p.output_zero_point || 0;
  const [low, high] = p.activation_min === undefined ? layer.limits : [p.activation_min, p.activation_max];
  const output = clamp(rounded + zeroPoint, low, high);
  if (steps) {
    steps.push(
      { name: "+ zero point", value: rounded + zeroPoint, note: `${text(rounded)} ${signed(zeroPoint)}` },
      { name: "clamp", value: output, clamped: output !== rounded + zeroPoint,
        note: `to ${text(low)} … ${text(high)}` + (layer.activation === "NONE" ? "" : `, ${layer.activation}`) });
  }
  return output;
}

/* Multiplier, or mantissa, and shift of an output channel. */
function scaling(p, channel) {
  const numbers = p.mantissas || p.multipliers;
  const i = numbers.length > 1 ? channel : 0;
  return [numbers[i], p.shifts[p.shifts.length > 1 ? channel : 0]];
}

const WEIGHTED = {
  channel: (p, flat) => flat % (p.output_channels || p.output_size),
  value(layer, flat, [x], form) {
    const p = layer.params;
    const channel = WEIGHTED.channel(p, flat);
    const zero = p.input_zero_point || 0;
    const weightsZero = p.weights_zero_point || 0;
    let acc = p.bias ? p.bias[channel] : 0;
    TAPS[layer.op](p, flat, (input, weight) => {
      if (input >= 0) acc += (p.weights[weight] - weightsZero) * (x[input] - zero);
    });
    return finish(layer, ROUNDINGS[form](acc, ...scaling(p, channel)));
  },
  explain(layer, flat, [x], form) {
    const p = layer.params;
    const channel = WEIGHTED.channel(p, flat);
    const zero = p.input_zero_point || 0;
    const weightsZero = p.weights_zero_point || 0;
    const rows = [];
    let sum = 0;
    TAPS[layer.op](p, flat, (input, weight, place) => {
      const value = input < 0 ? zero : x[input];
      const w = p.weights[weight] - weightsZero;
      const product = w * (value - zero);
      sum += product;
      rows.push({ operand: 0, index: input, place, size: product, weight: w, centred: value - zero,
        cells: [value, value - zero, w, product] });
    });
    const bias = p.bias ? p.bias[channel] : 0;
    const acc = sum + bias;
    const steps = [
      { name: "sum of products", value: sum, note: `${text(rows.length)} products` },
      { name: "+ bias", value: acc, note: p.bias ? `${text(sum)} ${signed(bias)}: the accumulator` : "no bias: the accumulator", strong: true },
      ...roundingSteps(form, acc, ...scaling(p, channel)),
    ];
    const output = finish(layer, ROUNDINGS[form](acc, ...scaling(p, channel)), steps);
    return {
      equation: `accumulator = bias + Σ ${less("weight", weightsZero)} × (${less("input", zero, true)})`,
      columns: ["input", less("input", zero, true), less("weight", weightsZero, true), "product"],
      rows, steps, output, window: p.kernel_height * p.kernel_width > 1 && layer.op !== "TRANSPOSE_CONV",
    };
  },
};

/* A fold over plain input elements: what pools and reductions explain. */
function plainRows(indices, x, zero = 0) {
  return indices.map((index) => ({ operand: 0, index, size: x[index] - zero,
    cells: zero ? [x[index], x[index] - zero] : [x[index]] }));
}

function poolIndices(layer, flat) {
  const found = [];
  poolTaps(layer.params, flat, (index) => found.push(index));
  return found;
}

const AVERAGE = {
  value(layer, flat, [x]) {
    let sum = 0;
    let count = 0;
    poolTaps(layer.params, flat, (index) => { sum += x[index]; count++; });
    const half = Math.floor(count / 2);
    return finish(layer, Math.trunc((sum < 0 ? sum - half : sum + half) / count));
  },
  explain(layer, flat, [x]) {
    const rows = plainRows(poolIndices(layer, flat), x);
    const sum = rows.reduce((total, row) => total + row.size, 0);
    const output = AVERAGE.value(layer, flat, [x]);
    return {
      equation: "output = round(Σ input ÷ count), of the raw integers", columns: ["input"], rows, output,
      steps: [
        { name: "sum", value: sum, note: `${rows.length} elements inside of the image`, strong: true },
        { name: "÷ count", value: sum / rows.length, note: `${text(sum)} ÷ ${rows.length}` },
        { name: "rounded", value: output, note: "to the nearest, ties away from zero; then clamped" },
      ],
    };
  },
};

const MAXIMUM = {
  value(layer, flat, [x]) {
    let largest = -Infinity;
    poolTaps(layer.params, flat, (index) => { largest = Math.max(largest, x[index]); });
    return finish(layer, largest);
  },
  explain(layer, flat, [x]) {
    const rows = plainRows(poolIndices(layer, flat), x);
    const output = MAXIMUM.value(layer, flat, [x]);
    return { equation: "output = the largest input of the window", columns: ["input"], rows, output,
      steps: [{ name: "largest", value: output, note: `of ${rows.length}; then clamped`, strong: true }] };
  },
};

const MEAN = {
  value(layer, flat, [x], form) {
    const p = layer.params;
    const sum = reducedSources(p, flat).reduce((total, i) => total + x[i], 0) - p.count * p.input_zero_point;
    return finish(layer, ROUNDINGS[form](sum, p.multiplier, p.shift));
  },
  explain(layer, flat, [x], form) {
    const p = layer.params;
    const rows = plainRows(reducedSources(p, flat), x, p.input_zero_point);
    const sum = rows.reduce((total, row) => total + row.size, 0);
    const steps = [{ name: "sum", value: sum, note: `${p.count} elements, less their zero point`, strong: true },
      ...roundingSteps(form, sum, p.multiplier, p.shift)];
    const output = finish(layer, ROUNDINGS[form](sum, p.multiplier, p.shift), steps);
    return { equation: `sum = Σ (${less("input", p.input_zero_point, true)}); the multiplier divides`,
      columns: p.input_zero_point ? ["input", "less zero point"] : ["input"], rows, steps, output };
  },
};

const ADD = {
  parts(p, flat, operands, form) {
    const indices = broadcastSources(p, flat);
    return indices.map((index, i) => {
      const n = i + 1;
      const centred = operands[i][index] - p[`input${n}_zero_point`];
      const shifted = centred * 2 ** p.left_shift;
      return { index, value: operands[i][index], centred, shifted,
        scaled: ROUNDINGS[form](shifted, p[`input${n}_multiplier`], p[`input${n}_shift`]),
        real: realMultiplier(p[`input${n}_multiplier`], p[`input${n}_shift`]) };
    });
  },
  value(layer, flat, operands, form) {
    const p = layer.params;
    const [a, b] = ADD.parts(p, flat, operands, form);
    const total = a.scaled + p.input2_sign * b.scaled;
    return finish(layer, ROUNDINGS[form](total, p.output_multiplier, p.output_shift));
  },
  explain(layer, flat, operands, form) {
    const p = layer.params;
    const parts = ADD.parts(p, flat, operands, form);
    const total = parts[0].scaled + p.input2_sign * parts[1].scaled;
    const steps = [
      ...parts.map((part, i) => ({ name: `input ${i + 1}, rescaled`, value: part.scaled,
        note: `${text(part.centred)} × ${power(p.left_shift)} × ${text(part.real)}, rounded` })),
      { name: p.input2_sign > 0 ? "sum" : "difference", value: total, note: "in one finer scale", strong: true },
      ...roundingSteps(form, total, p.output_multiplier, p.output_shift),
    ];
    const output = finish(layer, ROUNDINGS[form](total, p.output_multiplier, p.output_shift), steps);
    const rows = parts.map((part, operand) => ({ operand, index: part.index, size: part.centred,
      cells: [part.value, part.centred, part.scaled] }));
    return { equation: "both inputs are brought to one finer scale, and the result to the output's",
      columns: ["input", "less zero point", "rescaled"], rows, steps, output };
  },
};

const MUL = {
  value(layer, flat, operands, form) {
    const p = layer.params;
    const [i, j] = broadcastSources(p, flat);
    const product = (operands[0][i] - p.input1_zero_point) * (operands[1][j] - p.input2_zero_point);
    return finish(layer, ROUNDINGS[form](product, p.output_multiplier, p.output_shift));
  },
  explain(layer, flat, operands, form) {
    const p = layer.params;
    const zeros = [p.input1_zero_point, p.input2_zero_point];
    const rows = broadcastSources(p, flat).map((index, operand) => ({ operand, index,
      size: operands[operand][index] - zeros[operand],
      cells: [operands[operand][index], operands[operand][index] - zeros[operand]] }));
    const product = rows[0].size * rows[1].size;
    const steps = [{ name: "product", value: product, note: `${text(rows[0].size)} × ${text(rows[1].size)}`, strong: true },
      ...roundingSteps(form, product, p.output_multiplier, p.output_shift)];
    const output = finish(layer, ROUNDINGS[form](product, p.output_multiplier, p.output_shift), steps);
    return { equation: "product = (input 1 − zero point 1) × (input 2 − zero point 2)",
      columns: ["input", "less zero point"], rows, steps, output };
  },
};

const LOOKUP = {
  value: (layer, flat, [x]) => layer.params.table[x[flat] + 128],
  explain(layer, flat, [x]) {
    const output = LOOKUP.value(layer, flat, [x]);
    return { equation: "output = table[input + 128]: one of 256 prepared values", columns: ["input"],
      rows: plainRows([flat], x), output, table: layer.params.table, entry: x[flat],
      steps: [{ name: `table[${x[flat] + 128}]`, value: output, note: `input ${text(x[flat])}`, strong: true }] };
  },
};

/* Moved elements: from ``layer.sources``, which count the operands' elements one after the other. */
const MOVED = {
  source(layer, flat, operands, output = 0) {
    let index = layer.sources[output][flat];
    if (index < 0) return null;
    for (let operand = 0; operand < operands.length; operand++) {
      if (index < operands[operand].length) return { operand, index };
      index -= operands[operand].length;
    }
    return null;
  },
  value(layer, flat, operands, form, output = 0) {
    const source = MOVED.source(layer, flat, operands, output);
    return source ? operands[source.operand][source.index] : null;
  },
  explain(layer, flat, operands, form, output = 0) {
    const source = MOVED.source(layer, flat, operands, output);
    const value = source ? Number(operands[source.operand][source.index]) : null;
    return { equation: source ? "the element is moved, not computed" : "the layer writes this element by itself",
      columns: source ? ["input"] : [], steps: [],
      rows: source ? [{ ...source, size: value, cells: [value] }] : [], output: value };
  },
};

const SOFTMAX = {
  /* 1 / (1 + x) as Q0.31 for x in [0, 1] as Q0.31: three Newton-Raphson steps. */
  reciprocal(x) {
    const shiftLeft = (value, bits) => {
      const wide = value << bits;
      return wide > INT32_MAX ? INT32_MAX : wide < -INT32_MAX - 1n ? -INT32_MAX - 1n : wide;
    };
    const half = (x + INT32_MAX + 1n) >> 1n;
    let y = 1515870810n + highMul(half, -1010580540n);
    for (let i = 0; i < 3; i++) y += shiftLeft(highMul(y, (1n << 29n) - highMul(half, y)), 2n);
    return shiftLeft(y, 1n);
  },
  parts(p, flat, x) {
    const start = flat - (flat % p.depth);
    const row = x.subarray(start, start + p.depth);
    const largest = row.reduce((a, b) => Math.max(a, b), -128);
    const total = row.reduce((sum, value) => sum + p.addends[largest - value], 0);
    const headroom = Math.clz32(total);
    const inverse = SOFTMAX.reciprocal((BigInt(total) << BigInt(headroom)) - (1n << 31n));
    const exponential = p.exponentials[largest - x[flat]];
    const scaled = highMul(inverse, BigInt(exponential));
    const output = Math.min(Number(divideByPot(scaled, BigInt(12 - headroom + 23))) - 128, 127);
    return { start, row, largest, total, headroom, inverse, exponential, scaled, output };
  },
  value: (layer, flat, [x]) => SOFTMAX.parts(layer.params, flat, x).output,
  explain(layer, flat, [x]) {
    const p = layer.params;
    const s = SOFTMAX.parts(p, flat, x);
    const rows = Array.from(s.row, (value, i) => ({ operand: 0, index: s.start + i,
      size: p.addends[s.largest - value], cells: [value, value - s.largest, p.addends[s.largest - value]] }));
    return {
      equation: "output = 256 × exp(input − largest) ÷ Σ exp − 128, all in integers",
      columns: ["input", "less largest", "exp, Q12.19"], rows, output: s.output,
      steps: [
        { name: "largest input", value: s.largest, note: `this one is ${text(x[flat] - s.largest)} from it` },
        { name: "exp", value: s.exponential, note: `as Q0.31: ${text(s.exponential / 2 ** 31)}` },
        { name: "sum of exp", value: s.total, note: `as Q12.19: ${text(s.total / 2 ** 19)}`, strong: true },
        { name: "1 ÷ sum", value: s.inverse, note: `three Newton steps; Q0.31 after ${s.headroom} bits of headroom` },
        { name: "product", value: s.scaled, note: "exp × reciprocal, high half, rounded" },
        { name: "rounded, − 128", value: s.output, note: `÷ ${power(12 - s.headroom + 23)}, to the nearest, ties away from zero` },
      ],
    };
  },
};

const KINDS = { weighted: WEIGHTED, average: AVERAGE, maximum: MAXIMUM, mean: MEAN, add: ADD, mul: MUL,
  lookup: LOOKUP, moved: MOVED, softmax: SOFTMAX };
