"use strict";
/* The model's tensors as typed arrays: base64 to numbers, and numbers to text. */

const ARRAYS = {
  int8: Int8Array, uint8: Uint8Array, int16: Int16Array, uint16: Uint16Array, int32: Int32Array,
  uint32: Uint32Array, int64: BigInt64Array, uint64: BigUint64Array, float32: Float32Array,
  float64: Float64Array, bool: Uint8Array,
};

function bytesOf(base64) {
  return Uint8Array.from(atob(base64), (letter) => letter.charCodeAt(0));
}

/* Little-endian elements, as files, browsers and WebAssembly have them. */
function decode(type, base64) {
  return new ARRAYS[type](bytesOf(base64).buffer);
}

/* The params of a layer: {type, shape, data} becomes a typed array with a shape. */
function decodeParams(params) {
  const decoded = {};
  for (const [name, value] of Object.entries(params)) {
    if (value && value.data !== undefined) {
      decoded[name] = decode(value.type, value.data);
      decoded[name].shape = value.shape;
    } else {
      decoded[name] = value;
    }
  }
  return decoded;
}

function sizeOf(shape) {
  return shape.reduce((product, extent) => product * extent, 1);
}

/* Flat index to one index per axis, and back. */
function unravel(flat, shape) {
  const at = new Array(shape.length);
  for (let axis = shape.length - 1; axis >= 0; axis--) {
    at[axis] = flat % shape[axis];
    flat = Math.floor(flat / shape[axis]);
  }
  return at;
}

function ravel(at, shape) {
  return at.reduce((flat, index, axis) => flat * shape[axis] + index, 0);
}

/* A minus sign as wide as a plus, thousands apart. */
function text(number) {
  if (typeof number === "string" || typeof number === "boolean") return String(number);
  if (typeof number === "number" && !Number.isInteger(number)) {
    return String(Number(number.toPrecision(7))).replace("-", "−");
  }
  const digits = String(number).replace("-", "");
  const apart = digits.length > 4 ? digits.replace(/\B(?=(\d{3})+$)/g, "\u202f") : digits;
  return (number < 0 ? "−" : "") + apart;
}

/* 2 to a whole power, as it is written. */
function power(exponent) {
  const digits = String(Math.abs(exponent)).replace(/\d/g, (digit) => "⁰¹²³⁴⁵⁶⁷⁸⁹"[digit]);
  return `2${exponent < 0 ? "⁻" : ""}${digits}`;
}

function signed(number) {
  return number < 0 ? "− " + text(-number) : "+ " + text(number);
}

/* Converters join the names of fused tensors by semicolons, and those of scopes by slashes. */
function shortName(name) {
  const first = name.split(";")[0];
  return first.length <= 34 ? first : "…" + first.slice(-33);
}

/* An element with attributes and children; a child may be text. */
function element(tag, attributes = {}, ...children) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (value === true) made.setAttribute(name, "");
    else if (value !== false && value !== null && value !== undefined) made.setAttribute(name, value);
  }
  made.append(...children.filter((child) => child !== null && child !== undefined));
  return made;
}
