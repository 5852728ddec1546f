"use strict";
/* From an accumulator to output steps: each runtime's rounding, in integers of any size.
 *
 * A real multiplier m is stored as multiplier * 2^(shift - 31). Shift is above 0 for a left shift.
 */

const INT32_MAX = 2n ** 31n - 1n;

/* round(a * b / 2^31), ties up. */
function highMul(a, b) {
  const high = (a * b + (1n << 30n)) >> 31n;
  return high > INT32_MAX ? INT32_MAX : high;
}

/* x / 2^exponent, ties away from zero. */
function divideByPot(x, exponent) {
  const half = (1n << exponent) >> 1n;
  return (x + half - (x < 0n && exponent > 0n ? 1n : 0n)) >> exponent;
}

const ROUNDINGS = {
  /* Once by the high multiply, once by the right shift: TFLM, CMSIS-NN. */
  double(acc, multiplier, shift) {
    const shifted = BigInt.asIntN(32, BigInt(acc) << BigInt(Math.max(shift, 0)));
    const high = highMul(shifted, BigInt(multiplier));
    return Number(divideByPot(high, BigInt(Math.max(-shift, 0))));
  },
  /* One rounding of the whole product, ties up: TFLITE_SINGLE_ROUNDING. */
  single(acc, multiplier, shift) {
    const total = BigInt(31 - shift);
    return Number((BigInt(acc) * BigInt(multiplier) + (1n << (total - 1n))) >> total);
  },
  /* Of int16 layers with an int64 accumulator: a multiplier of 16 bits, one rounding, ties up. */
  int64(acc, multiplier, shift) {
    const total = BigInt(15 - shift);
    const product = BigInt(acc) * BigInt(reducedMultiplier(multiplier));
    return Number((product + (1n << (total - 1n))) >> total);
  },
  /* A float64 product, ties away from zero: LiteRT's FULLY_CONNECTED. */
  float64(acc, mantissa, shift) {
    return roundHalfAway(acc * realFloat64(mantissa, shift));
  },
};

function reducedMultiplier(multiplier) {
  return Math.min(Math.floor((multiplier + 32768) / 65536), 32767);
}

function realFloat64(mantissa, shift) {
  return mantissa * 2 ** -shift;
}

function roundHalfAway(real) {
  const whole = Math.trunc(real);
  return Math.abs(real - whole) >= 0.5 ? whole + Math.sign(real) : whole;
}

function realMultiplier(multiplier, shift) {
  return multiplier * 2 ** (shift - 31);
}

/* The magnitude in binary: bits that stay, bits that the right shift cuts off. */
function cutBits(number, exponent) {
  const bits = (number < 0n ? -number : number).toString(2).padStart(exponent + 4, "0");
  return {
    sign: number < 0n ? "−" : "",
    kept: bits.slice(0, bits.length - exponent),
    cut: bits.slice(bits.length - exponent),
  };
}

/* acc * 2^... as steps to read: [{name, value, note, bits}]; the last has the rounded value. */
function roundingSteps(form, acc, multiplier, shift) {
  const rounded = ROUNDINGS[form](acc, multiplier, shift);
  if (form === "float64") {
    const real = realFloat64(multiplier, shift);
    return [
      { name: "real multiplier", value: real, note: "in float64; input scale × weights scale ÷ output scale" },
      { name: "accumulator × real", value: acc * real, note: `${text(acc)} × ${text(real)}` },
      { name: "rounded once", value: rounded, note: "to the nearest integer, ties away from zero" },
    ];
  }
  const steps = [
    { name: "real multiplier", value: realMultiplier(multiplier, shift),
      note: `= ${text(multiplier)} × ${power(shift - 31)}, its fixed-point form` },
    { name: "accumulator × real", value: acc * realMultiplier(multiplier, shift),
      note: "what exact arithmetic has here, before any rounding" },
  ];
  if (form === "int64") {
    const total = 15 - shift;
    const product = BigInt(acc) * BigInt(reducedMultiplier(multiplier));
    steps.push({ name: "rounded once", value: rounded, bits: cutBits(product, total),
      note: `${text(acc)} × ${text(reducedMultiplier(multiplier))}, the multiplier cut to 16 bits, ÷ ${power(total)}, ties up` });
    return steps;
  }
  const product = BigInt(acc) * BigInt(multiplier);
  if (form === "single") {
    steps.push({ name: "rounded once", value: rounded, bits: cutBits(product, 31 - shift),
      note: `${text(acc)} × ${text(multiplier)} ÷ ${power(31 - shift)}, ties up` });
    return steps;
  }
  const left = Math.max(shift, 0);
  const right = Math.max(-shift, 0);
  const shifted = BigInt.asIntN(32, BigInt(acc) << BigInt(left));
  if (left) steps.push({ name: "left shift", value: shifted, note: `× ${power(left)}, in 32 bits` });
  const high = highMul(shifted, BigInt(multiplier));
  steps.push({ name: "high multiply", value: high,
    note: `${text(shifted)} × ${text(multiplier)} ÷ ${power(31)}, ties up` });
  steps.push({ name: "shift right", value: rounded,
    note: right ? `÷ ${power(right)}, ties away from zero` : "nothing to shift",
    bits: right ? cutBits(high, right) : null });
  const once = ROUNDINGS.single(acc, multiplier, shift);
  if (once !== rounded) {
    steps[steps.length - 1].warning = `One rounding would give ${text(once)}: the first rounding moved the product onto a tie.`;
  }
  return steps;
}
