"use strict";
/* Receptive fields of the layers that sum weights times inputs, and of pools.
 *
 * visit(input, weight, place): flat indices of input and weights. ``input`` is -1 for padding, and
 * ``place`` then [row, column, channel] outside of the image.
 */

const TAPS = {
  CONV_2D(p, flat, visit) {
    const o = flat % p.output_channels;
    const groupOutputs = p.output_channels / (p.input_channels / p.group_channels);
    const first = Math.floor(o / groupOutputs) * p.group_channels;
    let weight = o * p.kernel_height * p.kernel_width * p.group_channels;
    window2D(p, Math.floor(flat / p.output_channels), p.dilation_height, p.dilation_width, (base, row, column) => {
      for (let i = 0; i < p.group_channels; i++, weight++) {
        if (base < 0) visit(-1, weight, [row, column, first + i]);
        else visit(base * p.input_channels + first + i, weight, null);
      }
    });
  },
  DEPTHWISE_CONV_2D(p, flat, visit) {
    const o = flat % p.output_channels;
    const channel = Math.floor(o / p.depth_multiplier);
    let weight = o;
    window2D(p, Math.floor(flat / p.output_channels), p.dilation_height, p.dilation_width, (base, row, column) => {
      if (base < 0) visit(-1, weight, [row, column, channel]);
      else visit(base * p.input_channels + channel, weight, null);
      weight += p.output_channels;
    });
  },
  TRANSPOSE_CONV(p, flat, visit) {
    const o = flat % p.output_channels;
    const position = Math.floor(flat / p.output_channels);
    const [image, y, x] = unravel(position, [p.batches, p.output_height, p.output_width]);
    for (let ky = 0; ky < p.kernel_height; ky++) {
      const iy = (y + p.pad_top - ky) / p.stride_height;
      if (!Number.isInteger(iy) || iy < 0 || iy >= p.input_height) continue;
      for (let kx = 0; kx < p.kernel_width; kx++) {
        const ix = (x + p.pad_left - kx) / p.stride_width;
        if (!Number.isInteger(ix) || ix < 0 || ix >= p.input_width) continue;
        const input = ((image * p.input_height + iy) * p.input_width + ix) * p.input_channels;
        const weight = ((o * p.kernel_height + ky) * p.kernel_width + kx) * p.input_channels;
        for (let i = 0; i < p.input_channels; i++) visit(input + i, weight + i, null);
      }
    }
  },
  FULLY_CONNECTED(p, flat, visit) {
    const o = flat % p.output_size;
    const input = Math.floor(flat / p.output_size) * p.input_size;
    for (let i = 0; i < p.input_size; i++) visit(input + i, o * p.input_size + i, null);
  },
};

/* A pool's window, without what lies outside of the image. */
function poolTaps(p, flat, visit) {
  const channel = flat % p.channels;
  window2D(p, Math.floor(flat / p.channels), 1, 1, (base) => {
    if (base >= 0) visit(base * p.channels + channel);
  });
}

/* tap(pixel, row, column): the pixel's number in the batch, or -1 outside. */
function window2D(p, position, dilationHeight, dilationWidth, tap) {
  const [image, y, x] = unravel(position, [p.batches, p.output_height, p.output_width]);
  for (let ky = 0; ky < p.kernel_height; ky++) {
    const row = y * p.stride_height - p.pad_top + ky * dilationHeight;
    for (let kx = 0; kx < p.kernel_width; kx++) {
      const column = x * p.stride_width - p.pad_left + kx * dilationWidth;
      const inside = row >= 0 && row < p.input_height && column >= 0 && column < p.input_width;
      tap(inside ? (image * p.input_height + row) * p.input_width + column : -1, row, column);
    }
  }
}

/* How far windows reach beyond the image: rows above and below, columns left and right. */
function paddingOf(layer) {
  const p = layer.params;
  if (p.pad_top === undefined || layer.op === "TRANSPOSE_CONV" || layer.kind !== "weighted") {
    return { top: 0, bottom: 0, left: 0, right: 0 };
  }
  const reach = (outputs, stride, kernel, dilation, pad, size) =>
    Math.max(0, (outputs - 1) * stride + (kernel - 1) * (dilation || 1) + 1 - pad - size);
  return {
    top: p.pad_top,
    left: p.pad_left,
    bottom: reach(p.output_height, p.stride_height, p.kernel_height, p.dilation_height, p.pad_top, p.input_height),
    right: reach(p.output_width, p.stride_width, p.kernel_width, p.dilation_width, p.pad_left, p.input_width),
  };
}

/* Which element of each input of an elementwise layer meets output element ``flat``. */
function broadcastSources(p, flat) {
  const at = unravel(flat, p.extents);
  const source = (strides) => at.reduce((sum, index, axis) => sum + index * strides[axis], 0);
  return [source(p.input1_strides), source(p.input2_strides)];
}

/* The inputs that a reduction sums for output ``flat``: kept and reduced extents in turn. */
function reducedSources(p, flat) {
  const kept = unravel(flat, p.kept_extents);
  const found = [];
  for (let reduced = 0; reduced < sizeOf(p.reduced_extents); reduced++) {
    const inner = unravel(reduced, p.reduced_extents);
    let index = 0;
    for (let i = 0; i < kept.length; i++) {
      index = (index * p.kept_extents[i] + kept[i]) * p.reduced_extents[i] + inner[i];
    }
    found.push(index);
  }
  return found;
}
