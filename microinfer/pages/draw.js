"use strict";
/* A tensor as a picture that can be pointed at: a canvas of cells, coloured by value. */

function palette() {
  const style = getComputedStyle(document.documentElement);
  const colours = {};
  for (const name of ["low", "middle", "high", "ink", "ground", "panel", "muted", "accent", "bad", "line"]) {
    const hex = style.getPropertyValue(`--${name}`).trim();
    colours[name] = [1, 3, 5].map((at) => parseInt(hex.slice(at, at + 2), 16));
  }
  return colours;
}

const css = (rgb) => `rgb(${rgb.map(Math.round).join(" ")})`;
const mixed = (a, b, t) => a.map((part, i) => part + (b[i] - part) * t);
const luminance = ([r, g, b]) => 0.2126 * r + 0.7152 * g + 0.0722 * b;
const textOn = (colour) => (luminance(colour) > 122 ? "#10131a" : "#ffffff");

/* Below the zero point towards one colour, above it towards another; full at ``span`` from it. */
function colourOf(colours, value, zeroPoint, span) {
  const t = clamp((value - zeroPoint) / span, -1, 1);
  return mixed(colours.middle, t < 0 ? colours.low : colours.high, Math.abs(t) ** 0.7);
}

/* Whether the elements may be pixels: colours, or grey in some number. */
function isImage({ rows, columns, channels }) {
  return Math.min(rows, columns) >= 16 && (channels === 3 || channels === 1);
}

const LARGEST_CELL = 52;
const NUMBERS_FROM = 25; // pixels of a cell
const HIGHEST = 560; // pixels of a picture
const HIGHER = 860; // of one whose numbers can then be read

class TensorView {
  /* tensor: {name, shape, type, scale, zero_point}; select(flat) and paint(flat) may be absent. */
  constructor({ id, title, tensor, layout, select = null, paint = null, picture = false, highest = HIGHEST }) {
    Object.assign(this, { id, tensor, layout, select, paint, highest });
    this.channel = 0;
    this.image = picture && ["int8", "uint8"].includes(tensor.type) && isImage(layout);
    this.colour = this.image;
    this.caption = null; // what stands below, instead of the selected element
    this.state = { values: null, selected: -1, field: null, outside: null, flipped: null };
    this.status = element("span", { class: "status", "aria-live": "polite" });
    this.canvas = element("canvas", { id, tabindex: 0, role: "application",
      "aria-label": `${title}, ${tensor.shape.join("×")}: arrow keys move, plus and minus change the channel` });
    const quantized = tensor.scale === null ? "" : `, scale ${Number(tensor.scale.toPrecision(4))}, zero point ${text(tensor.zero_point)}`;
    this.root = element("figure", { class: "view" },
      element("h3", {}, title),
      element("figcaption", { title: tensor.name },
        element("span", { class: "mono" }, shortName(tensor.name)),
        element("br"), `${tensor.type} ${tensor.shape.join("×") || "scalar"}${quantized}`),
      this.channels(), this.canvas, this.legend(), this.status);
    this.listen();
  }

  channels() {
    if (this.layout.channels === 1) return this.image ? element("div", { class: "channels" }, this.imageBox()) : null;
    const last = this.layout.channels - 1;
    const step = (by, label, sign) => {
      const button = element("button", { type: "button", "aria-label": label }, sign);
      button.addEventListener("click", () => this.show(this.channel + by));
      return button;
    };
    this.number = element("input", { type: "number", min: 0, max: last, value: 0, "aria-label": `Channel, 0 to ${last}` });
    this.number.addEventListener("change", () => this.show(Number(this.number.value)));
    const line = element("div", { class: "channels" }, "Channel ", step(-1, "Previous channel", "◀"), this.number,
      step(1, "Next channel", "▶"), element("span", { class: "muted" }, ` of 0–${last}`));
    if (this.image) line.append(this.imageBox());
    return line;
  }

  imageBox() {
    const box = element("input", { type: "checkbox", checked: true });
    box.addEventListener("change", () => { this.colour = box.checked; this.draw(); });
    return element("label", {}, box, " as an image");
  }

  legend() {
    this.ends = [element("span"), element("span"), element("span")];
    return element("div", { class: "legend", "aria-hidden": "true" }, this.ends[0], element("i"), this.ends[1], element("i"), this.ends[2]);
  }

  show(channel) {
    const { channels } = this.layout;
    this.channel = ((Math.trunc(channel) || 0) + channels) % channels;
    if (this.number) this.number.value = this.channel;
    this.draw();
    if (this.changed) this.changed(this.channel);
  }

  update(state) {
    Object.assign(this.state, state);
    if (state.values) {
      const zero = this.tensor.zero_point || 0;
      let low = Infinity;
      let high = -Infinity;
      for (const value of state.values) {
        low = Math.min(low, Number(value));
        high = Math.max(high, Number(value));
      }
      this.zero = zero;
      this.span = Math.max(Math.abs(low - zero), Math.abs(high - zero)) || 1;
      this.ends[0].textContent = text(low);
      this.ends[1].textContent = text(zero);
      this.ends[2].textContent = text(high);
      this.digits = Math.max(...[low, zero, high].map((end) => text(end).length));
      this.root.classList.toggle("none-below", low >= zero);
      this.root.classList.toggle("none-above", high <= zero);
    }
    this.draw();
  }

  /* Shows the channel of an element. */
  reveal(flat) {
    if (flat >= 0) this.show(this.layout.find(flat).channel);
  }

  draw() {
    const { rows, columns } = this.layout;
    if (!this.state.values || !this.root.isConnected) return;
    const style = getComputedStyle(this.root);
    const room = this.root.clientWidth - parseFloat(style.paddingLeft) - parseFloat(style.paddingRight);
    const highest = rows * NUMBERS_FROM > HIGHER ? this.highest : Math.max(this.highest, rows * NUMBERS_FROM);
    const widest = Math.min(Math.floor(room / columns), LARGEST_CELL);
    const high = Math.max(Math.min(widest, Math.floor(highest / rows)), 2);
    const wide = rows > 2 * columns ? Math.max(Math.min(widest, 2 * high), high) : high; // room for numbers
    const ratio = window.devicePixelRatio || 1;
    Object.assign(this, { wide, high });
    Object.assign(this.canvas.dataset, { rows, columns });
    this.canvas.width = columns * wide * ratio;
    this.canvas.height = rows * high * ratio;
    this.canvas.style.width = `${columns * wide}px`;
    this.canvas.style.height = `${rows * high}px`;
    this.pen = this.canvas.getContext("2d");
    this.pen.scale(ratio, ratio);
    this.colours = palette();
    this.root.classList.toggle("as-image", this.colour);
    for (let row = 0; row < rows; row++) {
      for (let column = 0; column < columns; column++) this.drawCell(row, column);
    }
    this.outlines();
    this.status.textContent = this.caption ?? this.say(this.state.selected);
  }

  value(row, column, channel = this.channel) {
    const index = this.layout.index(row, column, channel);
    return index === null ? null : index < 0 ? this.zero : Number(this.state.values[index]);
  }

  inField(row, column) {
    const index = this.layout.index(row, column, this.channel);
    if (index === null || !this.state.field) return false;
    return index >= 0 ? this.state.field.has(index)
      : this.state.outside.has(String(this.layout.place(row, column, this.channel)));
  }

  drawCell(row, column) {
    const { pen, wide, high, colours } = this;
    const value = this.value(row, column);
    if (value === null) return;
    const index = this.layout.index(row, column, this.channel);
    const [x, y] = [column * wide, row * high];
    let colour = this.colour && index >= 0 ? this.pixel(row, column)
      : colourOf(colours, value, this.zero, this.span);
    const dim = this.state.field && this.state.field.size < this.state.values.length && !this.inField(row, column);
    if (dim) colour = mixed(colour, colours.panel, 0.62);
    pen.fillStyle = css(colour);
    const gap = high > 7 ? 1 : 0;
    pen.fillRect(x, y, wide - gap, high - gap);
    if (index < 0) this.hatch(x, y, wide - gap, high - gap);
    if (high >= NUMBERS_FROM) {
      const digits = text(value);
      const size = Math.min(high * 0.5, wide * 0.38, (wide * 1.3) / this.digits);
      pen.fillStyle = textOn(colour);
      pen.globalAlpha = dim ? 0.65 : 1;
      pen.font = `${size}px ${getComputedStyle(document.body).fontFamily}`;
      pen.textAlign = "center";
      pen.textBaseline = "middle";
      pen.fillText(digits, x + (wide - gap) / 2, y + (high - gap) / 2 + 0.5);
      pen.globalAlpha = 1;
    }
    if (this.state.flipped && this.state.flipped.has(index)) {
      pen.fillStyle = css(colours.bad);
      pen.beginPath();
      const corner = Math.max(high * 0.42, 2);
      pen.moveTo(x + wide - gap, y);
      pen.lineTo(x + wide - gap - corner, y);
      pen.lineTo(x + wide - gap, y + corner);
      pen.fill();
    }
  }

  /* Red, green and blue, or grey. */
  pixel(row, column) {
    const { channels } = this.layout;
    return [0, 1, 2].map((i) => this.value(row, column, i % channels) + (this.tensor.type === "int8" ? 128 : 0));
  }

  hatch(x, y, width, height) {
    const { pen } = this;
    pen.save();
    pen.beginPath();
    pen.rect(x, y, width, height);
    pen.clip();
    pen.strokeStyle = css(this.colours.muted);
    pen.globalAlpha = 0.35;
    pen.lineWidth = 1;
    pen.beginPath();
    for (let at = -height; at < width; at += 6) {
      pen.moveTo(x + at, y + height);
      pen.lineTo(x + at + height, y);
    }
    pen.stroke();
    pen.restore();
  }

  /* Around the receptive field, and around the selected element. */
  outlines() {
    const { pen, wide, high, colours } = this;
    const { rows, columns } = this.layout;
    if (this.state.field && this.state.field.size < this.state.values.length) {
      pen.strokeStyle = css(colours.ink);
      pen.lineWidth = Math.min(2.5, high / 2);
      pen.beginPath();
      for (let row = 0; row < rows; row++) {
        for (let column = 0; column < columns; column++) {
          if (!this.inField(row, column)) continue;
          const [x, y] = [column * wide, row * high];
          const [right, below] = [x + wide - (high > 7 ? 0.5 : 0), y + high - (high > 7 ? 0.5 : 0)];
          if (row === 0 || !this.inField(row - 1, column)) { pen.moveTo(x, y); pen.lineTo(right, y); }
          if (row === rows - 1 || !this.inField(row + 1, column)) { pen.moveTo(x, below); pen.lineTo(right, below); }
          if (column === 0 || !this.inField(row, column - 1)) { pen.moveTo(x, y); pen.lineTo(x, below); }
          if (column === columns - 1 || !this.inField(row, column + 1)) { pen.moveTo(right, y); pen.lineTo(right, below); }
        }
      }
      pen.stroke();
    }
    const flat = this.state.selected;
    if (flat < 0) return;
    const at = this.layout.find(flat);
    if (at.channel !== this.channel) return;
    const [x, y] = [at.column * wide, at.row * high];
    pen.lineWidth = 5;
    pen.strokeStyle = css(colours.panel);
    pen.strokeRect(x, y, wide - 1, high - 1);
    pen.lineWidth = 3;
    pen.strokeStyle = css(colours.accent);
    pen.strokeRect(x, y, wide - 1, high - 1);
  }

  say(flat) {
    if (flat < 0) return "";
    const at = unravel(flat, this.tensor.shape).join(", ");
    return `[${at}] = ${text(Number(this.state.values[flat]))}`;
  }

  flatAt(event) {
    const box = this.canvas.getBoundingClientRect();
    const column = Math.floor((event.clientX - box.left) / this.wide);
    const row = Math.floor((event.clientY - box.top) / this.high);
    const { rows, columns } = this.layout;
    if (row < 0 || row >= rows || column < 0 || column >= columns) return -1;
    const index = this.layout.index(row, column, this.channel);
    return index === null ? -1 : index;
  }

  listen() {
    let held = false;
    const act = (event, begins) => {
      const flat = this.flatAt(event);
      if (flat < 0) return;
      if (this.paint) this.paint(flat, begins);
      else if (this.select && begins) this.select(flat);
    };
    this.canvas.addEventListener("pointerdown", (event) => {
      held = true;
      act(event, true);
    });
    this.canvas.addEventListener("pointermove", (event) => {
      if (held && this.paint) act(event, false);
    });
    for (const name of ["pointerup", "pointercancel"]) window.addEventListener(name, () => { held = false; });
    this.canvas.addEventListener("keydown", (event) => this.key(event));
  }

  key(event) {
    const moves = { ArrowUp: [-1, 0], ArrowDown: [1, 0], ArrowLeft: [0, -1], ArrowRight: [0, 1] };
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const move = moves[event.key];
    if (event.key === "+" || event.key === "-") {
      this.show(this.channel + (event.key === "+" ? 1 : -1));
      const at = this.state.selected >= 0 ? this.layout.find(this.state.selected) : null;
      if (at && this.select) this.select(this.layout.index(at.row, at.column, this.channel));
    } else if (move) {
      const at = this.layout.find(Math.max(this.state.selected, 0));
      const index = this.neighbour(at, move);
      if (index >= 0 && this.select) this.select(index);
    } else if ((event.key === "Enter" || event.key === " ") && this.paint && this.state.selected >= 0) {
      this.paint(this.state.selected, true);
    } else {
      return;
    }
    event.preventDefault();
  }

  neighbour(at, [down, right]) {
    const [row, column] = [at.row + down, at.column + right];
    if (row < 0 || row >= this.layout.rows || column < 0 || column >= this.layout.columns) return -1;
    const index = this.layout.index(row, column, this.channel);
    return index === null ? -1 : index;
  }
}
