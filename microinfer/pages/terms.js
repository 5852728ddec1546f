"use strict";
/* What the arithmetic of one element looks like: windows, terms, steps. */

const FEW = 64; // terms that are listed at once
const BLOCK = 300; // terms that are listed on demand, at a time

/* ``about``: {at, recorded, layer, channel, hover(row or null)}; ``explained`` as KINDS gives it. */
function showArithmetic(root, explained, about) {
  const { layer } = about;
  const equal = explained.output === null || explained.output === about.recorded;
  root.replaceChildren(
    element("p", { class: "muted small", id: "which" }, about.title),
    element("h2", { id: "element" }, `output[${about.at.join(", ")}] = `,
      element("strong", { id: "recorded" }, text(about.recorded))),
    element("p", { class: explained.others ? "muted formula" : "muted", id: "equation" }, explained.equation));
  if (!equal) {
    root.append(element("p", { class: "bad", id: "mismatch" }, about.single
      ? `With a single rounding this element is ${text(explained.output)}; the run has ${text(about.recorded)}.`
      : `This page's own arithmetic gives ${text(explained.output)}: it differs from the run. That is an error of the page; please report it.`));
  }
  if (explained.others) root.append(otherElements(explained, about));
  if (explained.window) root.append(kernelWindow(explained, about));
  if (explained.table) root.append(curve(explained));
  if (explained.rows.length) root.append(termTable(explained, about));
  if (explained.steps.length) root.append(stepList(explained));
  if (layer.c.length) {
    root.append(element("details", {}, element("summary", {}, "In the generated C"),
      ...layer.notes.map((note) => element("p", { class: "muted small" }, note)),
      element("pre", {}, layer.c.join("\n"))));
  }
}

function stepList(explained) {
  const list = element("dl", { class: explained.others ? "derivation wordy" : "derivation" });
  for (const step of explained.steps) {
    list.append(
      element("dt", {}, step.name),
      element("dd", { class: step.strong ? "strong" : step.clamped ? "warn" : "", "data-step": step.name }, text(step.value)),
      element("dd", { class: "note" }, step.note, step.bits ? bitsOf(step.bits) : null,
        ...(step.detail || []).map((line) => element("span", { class: "detail" }, line)),
        step.warning ? element("span", { class: "bad" }, step.warning) : null));
  }
  if (explained.output === null) return list;
  const last = element("dd", { class: "strong final", "data-step": "output" }, text(explained.output));
  list.append(element("dt", { class: "strong" }, "output"), last, element("dd", { class: "note" }));
  return list;
}

/* The bits that the rounding keeps, and those that it cuts off: one half and more rounds up. */
function bitsOf({ sign, kept, cut }) {
  return element("span", { class: "bits", title: "in binary: kept, then cut off" }, `${sign}${kept}`,
    element("span", { class: "cut" }, cut));
}

/* Input, weights and products of a window of several taps, in one channel of the input. */
function kernelWindow(explained, about) {
  const p = about.layer.params;
  const taps = p.kernel_height * p.kernel_width;
  const depth = explained.rows.length / taps;
  if (p.kernel_width > 12 || p.kernel_height > 12) return "";
  const first = explained.rows[0];
  const size = (numbers) => numbers.reduce((most, n) => Math.max(most, Math.abs(n)), 1);
  const channel = depth === 1 ? 0 : clamp(about.channel - about.base, 0, depth - 1);
  const rows = Array.from({ length: taps }, (_, tap) => explained.rows[tap * depth + channel]);
  const colours = palette();
  const grid = (title, values) => {
    const span = size(values);
    const body = element("div", { class: "grid", style: `grid-template-columns: repeat(${p.kernel_width}, 1fr)` });
    values.forEach((value, i) => {
      const colour = colourOf(colours, value, 0, span);
      const cell = element("span", { class: rows[i].index < 0 ? "hatched" : "",
        style: `background-color: ${css(colour)}; color: ${textOn(colour)}` }, text(value));
      cell.addEventListener("pointerenter", () => about.hover(rows[i]));
      cell.addEventListener("pointerleave", () => about.hover(null));
      body.append(cell);
    });
    return element("figure", {}, element("figcaption", {}, title), body);
  };
  const sum = rows.reduce((total, row) => total + row.size, 0);
  const wide = explained.steps[0].value;
  return element("div", {},
    element("div", { class: "windows" },
      grid(explained.columns[1], rows.map((row) => row.centred)), element("b", {}, "×"),
      grid(explained.columns[2], rows.map((row) => row.weight)), element("b", {}, "="),
      grid("product", rows.map((row) => row.size))),
    element("p", { class: "muted small" }, ...(depth === 1 ? [`Together ${text(sum)}.`]
      : [...channelButtons(about, channel, depth), ` Input channel ${about.base + channel}, one of ${depth}: ${text(sum)} of ${text(wide)} together.`])));
}

/* To the window of the channel before and behind. */
function channelButtons(about, channel, depth) {
  return [["◀", -1, "Window of the previous channel"], ["▶", 1, "Window of the next channel"]].map(([sign, by, label]) => {
    const button = element("button", { type: "button", class: "other", "aria-label": label }, sign);
    button.addEventListener("click", () => about.pick(about.base + ((channel + by + depth) % depth)));
    return button;
  });
}

/* All terms, in the order of memory or the largest first. */
function termTable(explained, about) {
  const body = element("tbody");
  const order = element("select", { "aria-label": "Order of the terms" },
    element("option", { value: "memory" }, "in the order of memory"), element("option", { value: "size" }, "largest first"));
  const more = element("button", { type: "button" });
  let rows = explained.rows;
  let shown = 0;
  const extend = (count) => {
    for (const row of rows.slice(shown, shown + count)) body.append(termRow(row, about));
    shown = Math.min(shown + count, rows.length);
    more.textContent = `${text(rows.length - shown)} more`;
    more.classList.toggle("hidden", shown === rows.length);
  };
  order.addEventListener("change", () => {
    rows = order.value === "memory" ? explained.rows
      : [...explained.rows].sort((a, b) => Math.abs(b.size) - Math.abs(a.size));
    body.replaceChildren();
    shown = 0;
    extend(FEW);
  });
  more.addEventListener("click", () => extend(BLOCK));
  extend(FEW);
  const head = ["reads", ...explained.columns].map((name, i) => element("th", { scope: "col", class: i ? "number" : "" }, name));
  const table = element("table", { id: "terms" }, element("thead", {}, element("tr", {}, ...head)), body);
  const title = `${text(explained.rows.length)} ${explained.rows.length === 1 ? "element" : "terms"}`;
  return element("details", { class: "terms", open: explained.rows.length <= FEW && !explained.window },
    element("summary", {}, title), explained.rows.length > 2 ? element("p", { class: "small" }, order) : null,
    element("div", { class: "scroll", tabindex: 0, role: "region", "aria-label": "Terms" }, table, more));
}

function termRow(row, about) {
  const shape = about.shapes[row.operand];
  const outside = row.operand < 0 ? "state" : "padding";
  const where = row.index >= 0 ? `[${unravel(row.index, shape).join(", ")}]` : `${outside} [${row.place.join(", ")}]`;
  const name = about.shapes.length > 1 && row.operand >= 0 ? `${row.operand + 1}: ${where}` : where;
  const line = element("tr", { class: row.index < 0 ? outside : "" }, element("td", { class: "mono" }, name),
    ...row.cells.map((cell) => element("td", { class: "number" }, text(cell))));
  line.addEventListener("pointerenter", () => about.hover(row));
  line.addEventListener("pointerleave", () => about.hover(null));
  return line;
}

/* The table of a function of one element, as a curve with the entry that was read. */
function curve({ table, entry }) {
  const points = Array.from(table, (value, i) => `${i},${127 - value}`).join(" ");
  const frame = element("div", { class: "curve" });
  frame.innerHTML = `<svg viewBox="-4 -4 264 264" role="img" aria-label="The table: outputs by inputs">
    <line class="axis" x1="0" x2="255" y1="127" y2="127"/><line class="axis" x1="128" x2="128" y1="0" y2="255"/>
    <polyline points="${points}"/><circle cx="${entry + 128}" cy="${127 - table[entry + 128]}" r="5"/></svg>`;
  return frame;
}
