"use strict";
/* The model itself: the generated C as WebAssembly. ``run`` gives every tensor that it computes. */

class Runner {
  static async load(model) {
    const runner = new Runner();
    runner.model = model;
    const { instance } = await WebAssembly.instantiate(bytesOf(model.wasm), {
      page: { traced: (layer, output, address, bytes) => runner.traced(layer, output, address, bytes) },
    });
    runner.c = instance.exports;
    return runner;
  }

  traced(layer, output, address, bytes) {
    const index = this.model.layers[layer].outputs[output];
    const copy = this.c.memory.buffer.slice(address, address + bytes);
    this.values[index] = new ARRAYS[this.model.tensors[index].type](copy);
  }

  /* ``sequence``: for each invocation the model's inputs, by tensor. A model with state has to be
   * given all of them since its reset. Values of the last invocation, or null if it is refused. */
  run(sequence) {
    if (this.c.reset) this.c.reset();
    for (const inputs of sequence) {
      this.values = {};
      this.model.inputs.forEach((index, position) => {
        const bytes = new Uint8Array(inputs[index].buffer);
        new Uint8Array(this.c.memory.buffer, this.c.input(position), bytes.length).set(bytes);
        this.values[index] = inputs[index].slice();
      });
      if (this.c.invoke() !== 0) return null;
    }
    return this.values;
  }
}
