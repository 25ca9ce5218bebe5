import { largest, softmaxAt } from "./exponential.ts";
import { type Model, modelLimits } from "./model.ts";
import { type PackedReader, packModel } from "./packed.ts";
import { int8Max, Quantiser } from "./quantiser.ts";

/**
 * A small multilayer perceptron of 8-bit integers: weights and activations are bytes, sums 32 bits wide. A hidden neuron gives its sum times the layer's
 * factor, rounded, from 0 (so it is a ReLU) to 127; a neuron of the last layer gives its sum, one for each class.
 *
 * Head: features, classes, then the neurons of each hidden layer. Tables: quantiser; a factor for each layer; biases; weights, neuron by neuron.
 */
export class Network implements Model {
  readonly kind = "network";
  readonly features: number;
  readonly classes: number;
  readonly #quantiser: Quantiser;
  readonly #factors: Float32Array;
  readonly #biases: Int32Array;
  readonly #weights: Int8Array;
  /** Activations, the input first. */
  readonly #layers: readonly Int8Array[];
  readonly #sums: Int32Array;
  readonly #scores: Float64Array;

  constructor(reader: PackedReader) {
    const features = reader.integer("features", 1, modelLimits.featuresMax);
    const classes = reader.integer("classes", 2, modelLimits.classesMax);
    const hidden = reader.integer("hidden layers", 0, modelLimits.hiddenLayersMax);
    const layers = [new Int8Array(features)];
    let inputs = features;
    let neurons = classes;
    let weights = 0;
    for (let i = 0; i < hidden; i++) {
      const width = reader.integer("neurons", 1, modelLimits.neuronsMax);
      layers.push(new Int8Array(width));
      neurons += width;
      weights += inputs * width;
      inputs = width;
    }
    this.features = features;
    this.classes = classes;
    this.#quantiser = new Quantiser(reader.floats("quantiser", 2 * features), int8Max);
    this.#factors = reader.floats("factors", hidden + 1);
    this.#biases = reader.int32s("biases", neurons);
    this.#weights = reader.int8s("weights", weights + inputs * classes);
    this.#layers = layers;
    this.#sums = new Int32Array(classes);
    this.#scores = new Float64Array(classes);
  }

  decide(row: Float64Array): number {
    const layers = this.#layers;
    const weights = this.#weights;
    const biases = this.#biases;
    const sums = this.#sums;
    this.#quantiser.quantise(row, layers[0]!);
    const last = layers.length - 1;
    let weight = 0;
    let bias = 0;
    for (let layer = 0; layer <= last; layer++) {
      const input = layers[layer]!;
      const inputs = input.length;
      const output = layer === last ? sums : layers[layer + 1]!;
      const outputs = output.length;
      const factor = this.#factors[layer]!;
      for (let neuron = 0; neuron < outputs; neuron++) {
        let sum = biases[bias++]!;
        for (let i = 0; i < inputs; i++) sum += weights[weight++]! * input[i]!;
        if (layer < last) {
          sum = Math.floor(sum * factor + 0.5);
          output[neuron] = sum < 0 ? 0 : sum > int8Max ? int8Max : sum;
        } else output[neuron] = sum;
      }
    }
    return largest(sums);
  }

  score(ofClass: number): number {
    const scores = this.#scores;
    const factor = this.#factors[this.#factors.length - 1]!;
    for (let i = 0; i < scores.length; i++) scores[i] = this.#sums[i]! * factor;
    return softmaxAt(scores, ofClass);
  }
}

export interface NetworkParts {
  readonly quantiser: Float32Array;
  readonly classes: number;
  /** Neurons of each hidden layer. */
  readonly hidden: readonly number[];
  /** Of each layer: of a hidden one from sums to activations, of the last from sums to what softmax takes. */
  readonly factors: Float32Array;
  readonly biases: Int32Array;
  readonly weights: Int8Array;
}

export function packNetwork(parts: NetworkParts): Uint8Array {
  const { quantiser, classes, hidden, factors, biases, weights } = parts;
  const head = [quantiser.length / 2, classes, hidden.length, ...hidden];
  return packModel("network", head, [quantiser, factors, biases, weights]);
}
