"use strict";
/* How a tensor lies on the screen: rows, columns and channels, each with its place in memory.
 *
 * A layout has rows, columns, channels, and
 *   index(row, column, channel)   the flat index, or -1 for padding
 *   find(flat)                    {row, column, channel}
 *   place(row, column)            of padding: [row, column] of the image, outside of it
 */

const STRIP = [[12, 12], [128, 8], [320, 16], [1024, 32], [Infinity, 64]]; // up to so many, so many columns

function layoutOf(shape, padding = null) {
  const size = sizeOf(shape);
  if (shape.length === 4 && padding) return imageLayout(shape, padding);
  const extents = shape.filter((extent) => extent !== 1);
  if (extents.length <= 1) return stripLayout(size);
  if (extents.length === 2) return planeLayout(extents[0], extents[1], 1);
  const channels = shape[shape.length - 1] === 1 ? 1 : extents[extents.length - 1];
  const image = channels === 1 ? extents : extents.slice(0, -1);
  if (image.length === 2) return planeLayout(image[0], image[1], channels);
  return planeLayout(sizeOf(image.slice(0, -1)), image[image.length - 1], channels);
}

/* A vector, wrapped. */
function stripLayout(size) {
  const columns = Math.min(size, STRIP.find(([most]) => size <= most)[1]);
  return {
    rows: Math.ceil(size / columns), columns, channels: 1,
    index: (row, column) => (row * columns + column < size ? row * columns + column : null),
    find: (flat) => ({ row: Math.floor(flat / columns), column: flat % columns, channel: 0 }),
  };
}

function planeLayout(rows, columns, channels) {
  return {
    rows, columns, channels,
    index: (row, column, channel) => (row * columns + column) * channels + channel,
    find: (flat) => ({ row: Math.floor(flat / channels / columns), column: Math.floor(flat / channels) % columns, channel: flat % channels }),
  };
}

/* [images, height, width, channels] in a frame of padding; an image of one row or column is shown
 * as a plane of its other axis and the channels, if it has no padding across. */
function imageLayout(shape, padding) {
  const [images, height, width, channels] = shape;
  const { top, bottom, left, right } = padding;
  const thin = images === 1 && channels > 1 && ((height === 1 && !top && !bottom) || (width === 1 && !left && !right));
  if (thin) {
    const [before, after] = height === 1 ? [left, right] : [top, bottom];
    const extent = height * width;
    if (extent === 1 && before + after === 0) return stripLayout(channels);
    return {
      rows: before + extent + after, columns: channels, channels: 1,
      index: (row, column) => (row < before || row >= before + extent ? -1 : (row - before) * channels + column),
      find: (flat) => ({ row: Math.floor(flat / channels) + before, column: flat % channels, channel: 0 }),
      place: (row, column) => (height === 1 ? [0, row - before, column] : [row - before, 0, column]),
    };
  }
  const framed = top + height + bottom;
  return {
    rows: images * framed, columns: left + width + right, channels,
    index(row, column, channel) {
      const y = (row % framed) - top;
      const x = column - left;
      if (y < 0 || y >= height || x < 0 || x >= width) return -1;
      return ((Math.floor(row / framed) * height + y) * width + x) * channels + channel;
    },
    find(flat) {
      const [image, y, x, channel] = unravel(flat, shape);
      return { row: image * framed + top + y, column: left + x, channel };
    },
    place: (row, column, channel) => [(row % framed) - top, column - left, channel],
  };
}
