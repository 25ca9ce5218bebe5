/**
 * Conversion of recorded values to the unit of the sensor that replays them.
 */

/** A unit in terms of its dimension's base unit: base = value * factor + offset. */
interface Unit {
  readonly dimension: string;
  readonly factor: number;
  readonly offset: number;
}

const units: Readonly<Record<string, Unit>> = Object.freeze({
  "°C": { dimension: "temperature", factor: 1, offset: 0 },
  "°F": { dimension: "temperature", factor: 5 / 9, offset: -160 / 9 },
  K: { dimension: "temperature", factor: 1, offset: -273.15 },
  "%": { dimension: "ratio", factor: 1, offset: 0 },
  ratio: { dimension: "ratio", factor: 100, offset: 0 },
  Pa: { dimension: "pressure", factor: 1, offset: 0 },
  hPa: { dimension: "pressure", factor: 100, offset: 0 },
  kPa: { dimension: "pressure", factor: 1000, offset: 0 },
  "B/s": { dimension: "data rate", factor: 1, offset: 0 },
  "kB/s": { dimension: "data rate", factor: 1000, offset: 0 },
  V: { dimension: "voltage", factor: 1, offset: 0 },
  mV: { dimension: "voltage", factor: 0.001, offset: 0 },
});

/** A function from `from` to `to`; undefined when the two do not measure the same thing. */
export function unitConversion(from: string, to: string): ((value: number) => number) | undefined {
  if (from === to) return (value) => value;
  const source = units[from];
  const target = units[to];
  if (source === undefined || target === undefined || source.dimension !== target.dimension) return undefined;
  return (value) => (value * source.factor + source.offset - target.offset) / target.factor;
}
