/** A multilayer perceptron by back-propagation (Rumelhart, Hinton and Williams 1986) with Adam (Kingma and Ba 2015), then made one of 8-bit integers. */
import { packNetwork } from "../../../protocols/model/network.ts";
import { int8Max } from "../../../protocols/model/quantiser.ts";
import type { Dataset } from "../dataset.ts";
import { Random } from "../random.ts";
import { deviationTable, int8Deviations, type Scale, scaleOf, standardised } from "../scaling.ts";

export interface NetworkOptions {
  /** Neurons of each hidden layer. */
  readonly hidden: readonly number[];
  readonly epochs: number;
  readonly rate: number;
  /** What weights' squares cost. */
  readonly decay: number;
  readonly seed: number;
}

/** One layer, in floating point. */
export interface Layer {
  /** Neuron by neuron. */
  readonly weights: Float64Array;
  readonly biases: Float64Array;
}

const batchRows = 32;

export function trainNetwork(data: Dataset, options: NetworkOptions): Uint8Array {
  const scale = scaleOf(data.rows);
  const reach = int8Deviations;
  // As the board sees them: no further than 8 bits reach.
  const rows = data.rows.map((row) =>
    standardised(row, scale).map((value) => Math.max(-reach, Math.min(reach, value))),
  );
  const random = new Random(options.seed);
  const widths = [data.features.length, ...options.hidden, data.classes.length];
  const layers = widths.slice(1).map((width, i) => newLayer(widths[i]!, width, random));
  const adams = layers.map(
    ({ weights, biases }) => [new Adam(weights.length), new Adam(biases.length)] as const,
  );
  const order = rows.map((_, row) => row);
  let steps = 0;
  for (let epoch = 0; epoch < options.epochs; epoch++) {
    random.shuffled(order);
    // The rate falls to nothing along half a cosine, so that the weights come to rest.
    const rate = (options.rate * (1 + Math.cos((Math.PI * epoch) / options.epochs))) / 2;
    for (let from = 0; from < order.length; from += batchRows) {
      const batch = order.slice(from, from + batchRows);
      const gradients = layers.map(({ weights, biases }) => ({
        weights: weights.map((weight) => options.decay * weight),
        biases: new Float64Array(biases.length),
      }));
      for (const row of batch)
        backPropagate(layers, rows[row]!, data.labels[row]!, 1 / batch.length, gradients);
      steps++;
      for (const [i, { weights, biases }] of layers.entries()) {
        adams[i]![0].step(weights, gradients[i]!.weights, rate, steps);
        adams[i]![1].step(biases, gradients[i]!.biases, rate, steps);
      }
    }
  }
  return quantisedNetwork(layers, scale, rows);
}

/**
 * Makes the network one of 8-bit integers: each layer's largest weight is 127, and so is the largest activation that `rows`, standardised, bring
 * about in it. What is rounded in one layer the next one sees.
 */
export function quantisedNetwork(
  layers: readonly Layer[],
  scale: Scale,
  rows: readonly Float64Array[],
): Uint8Array {
  const activations = rows.map((row) => activationsOf(layers, row));
  const factors: number[] = [];
  const biases: number[] = [];
  const weights: number[] = [];
  let inputGain = int8Max / int8Deviations;
  for (const [i, layer] of layers.entries()) {
    const weightGain = int8Max / largestOf(layer.weights);
    weights.push(...layer.weights.map((weight) => Math.round(weight * weightGain)));
    biases.push(...layer.biases.map((bias) => bounded(Math.round(bias * weightGain * inputGain))));
    const isLast = i === layers.length - 1;
    const outputGain = isLast
      ? 1
      : int8Max / activations.reduce((most, of) => Math.max(most, largestOf(of[i + 1]!)), 1e-9);
    factors.push(outputGain / (weightGain * inputGain));
    inputGain = outputGain;
  }
  return packNetwork({
    quantiser: deviationTable(scale),
    classes: layers.at(-1)!.biases.length,
    hidden: layers.slice(0, -1).map((layer) => layer.biases.length),
    factors: Float32Array.from(factors),
    biases: Int32Array.from(biases),
    weights: Int8Array.from(weights),
  });
}

/** The row, then what each layer gives; of the last its sums. */
function activationsOf(layers: readonly Layer[], row: Float64Array): Float64Array[] {
  const given = [row];
  for (const [i, { weights, biases }] of layers.entries()) {
    const input = given[i]!;
    const output = Float64Array.from(biases);
    for (let n = 0, at = 0; n < output.length; n++) {
      for (let j = 0; j < input.length; j++) output[n]! += weights[at++]! * input[j]!;
      if (i < layers.length - 1 && output[n]! < 0) output[n] = 0;
    }
    given.push(output);
  }
  return given;
}

function backPropagate(
  layers: readonly Layer[],
  row: Float64Array,
  label: number,
  share: number,
  gradients: readonly Layer[],
): void {
  const given = activationsOf(layers, row);
  const sums = given.at(-1)!;
  const highest = Math.max(...sums);
  let errors = sums.map((sum) => Math.exp(sum - highest));
  const total = errors.reduce((sum, power) => sum + power, 0);
  errors = errors.map((power, of) => (power / total - (of === label ? 1 : 0)) * share);
  for (let i = layers.length - 1; i >= 0; i--) {
    const input = given[i]!;
    const { weights } = layers[i]!;
    const before = new Float64Array(input.length);
    for (let n = 0, at = 0; n < errors.length; n++) {
      gradients[i]!.biases[n]! += errors[n]!;
      for (let j = 0; j < input.length; j++, at++) {
        gradients[i]!.weights[at]! += errors[n]! * input[j]!;
        before[j]! += errors[n]! * weights[at]!;
      }
    }
    // A ReLU that gave nothing passes nothing back.
    errors = before.map((error, j) => (i > 0 && input[j] === 0 ? 0 : error));
  }
}

function newLayer(inputs: number, outputs: number, random: Random): Layer {
  // He and others 2015: so that activations neither die out nor grow from layer to layer.
  const spread = Math.sqrt(2 / inputs);
  const weights = Float64Array.from({ length: inputs * outputs }, () => spread * random.normal());
  return { weights, biases: new Float64Array(outputs) };
}

class Adam {
  readonly #means: Float64Array;
  readonly #squares: Float64Array;

  constructor(count: number) {
    this.#means = new Float64Array(count);
    this.#squares = new Float64Array(count);
  }

  step(values: Float64Array, gradient: Float64Array, rate: number, steps: number): void {
    const [meanShare, squareShare] = [1 - 0.9 ** steps, 1 - 0.999 ** steps];
    for (let i = 0; i < values.length; i++) {
      this.#means[i] = 0.9 * this.#means[i]! + 0.1 * gradient[i]!;
      this.#squares[i] = 0.999 * this.#squares[i]! + 0.001 * gradient[i]! ** 2;
      values[i]! -=
        (rate * this.#means[i]!) / meanShare / (Math.sqrt(this.#squares[i]! / squareShare) + 1e-8);
    }
  }
}

function largestOf(values: Float64Array): number {
  let most = 1e-9;
  for (const value of values) most = Math.max(most, Math.abs(value));
  return most;
}

function bounded(bias: number): number {
  return Math.max(-0x7fff_ffff, Math.min(0x7fff_ffff, bias));
}
