"use strict";
/* The arena over time: a rectangle per buffer, layers from left to right, addresses upwards. */

const SVG = "http://www.w3.org/2000/svg";

function shape(tag, attributes, content = null) {
  const made = document.createElementNS(SVG, tag);
  for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
  if (content) made.append(content);
  return made;
}

/* ``choose(layer)`` is called when a column is clicked. */
function drawArena(root, model, current, choose) {
  const { arena, layers } = model;
  const moments = layers.length + 2;
  const left = 62;
  const width = Math.max(root.clientWidth || 900, moments * 14 + left);
  const height = 300;
  const bottom = 26;
  const column = (width - left) / moments;
  const x = (layer) => left + (layer + 1) * column;
  const y = (byte) => (height - bottom) * (1 - byte / arena.bytes);
  const picture = shape("svg", { viewBox: `0 0 ${width} ${height}`, width, height, role: "img",
    "aria-label": `The arena of ${arena.bytes} bytes; at layer ${current} ${inUse(arena, current)} are in use` });

  picture.append(shape("rect", { class: "now", x: x(current), y: 0, width: column, height }));
  for (const byte of [0, arena.bytes / 2, arena.bytes]) {
    picture.append(shape("line", { class: "axis", x1: left, x2: width, y1: y(byte), y2: y(byte) }),
      shape("text", { x: left - 6, y: clamp(y(byte) + 4, 11, height - bottom), "text-anchor": "end" }, text(Math.round(byte))));
  }
  const layer = layers[current];
  for (const buffer of arena.buffers) {
    const role = roleOf(buffer, layer, current);
    const bar = shape("rect", { class: `buffer ${role}`, x: x(buffer.first) + 0.5, y: y(buffer.offset + buffer.bytes),
      width: (buffer.last - buffer.first + 1) * column - 1, height: Math.max(y(buffer.offset) - y(buffer.offset + buffer.bytes) - 1, 1), rx: 2 });
    bar.append(shape("title", {}, bufferText(buffer)));
    picture.append(bar);
    const label = buffer.names.length ? shortName(buffer.names[0]).split("/").pop() : "scratch";
    const room = (buffer.last - buffer.first + 1) * column - 8;
    if (y(buffer.offset) - y(buffer.offset + buffer.bytes) > 15 && room > 44) {
      const fits = Math.floor(room / 6.6);
      picture.append(shape("text", { class: `name ${role}`, x: x(buffer.first) + 5, y: (y(buffer.offset) + y(buffer.offset + buffer.bytes)) / 2 + 4 },
        label.length > fits ? `${label.slice(0, fits - 1)}…` : label));
    }
  }
  const every = Math.ceil(22 / column);
  layers.forEach((_, index) => {
    if (index % every === 0 || index === current) {
      picture.append(shape("text", { class: index === current ? "here" : "", x: x(index) + column / 2, y: height - 8, "text-anchor": "middle" }, String(index)));
    }
    const hit = shape("rect", { class: "hit", x: x(index), y: 0, width: column, height });
    hit.append(shape("title", {}, `layer ${index} ${layers[index].op}: ${inUse(arena, index)} in use`));
    hit.addEventListener("click", () => choose(index));
    picture.append(hit);
  });
  root.replaceChildren(picture);
}

function inUse(arena, layer) {
  const live = arena.buffers.filter((buffer) => buffer.first <= layer && layer <= buffer.last);
  return `${text(live.reduce((sum, buffer) => sum + buffer.bytes, 0))} bytes`;
}

/* What a buffer is to the layer that is shown. */
function roleOf(buffer, layer, current) {
  if (current < buffer.first || current > buffer.last) return "other";
  if (!buffer.tensors.length) return "scratch";
  const has = (indices) => buffer.tensors.some((index) => indices.includes(index));
  const read = has(layer.inputs);
  const written = has(layer.outputs);
  if (read && written) return "in-place";
  return read ? "read" : written ? "written" : "alive";
}

function bufferText(buffer) {
  const names = buffer.names.map(shortName).join(buffer.state ? ", " : ", then ");
  const what = buffer.state ? `state ${names}` : names || `scratch of layer ${buffer.first}`;
  return `${what}: ${text(buffer.bytes)} bytes at ${text(buffer.offset)}, layers ${buffer.first} to ${buffer.last}`;
}
