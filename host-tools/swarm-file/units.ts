/**
 * Units that Covey knows: what a value is measured in, and how to turn it into another unit of the same quantity.
 *
 * A value in the quantity's base unit is `value * factor + offset`. Factors are exact by definition (SI brochure, 9th
 * edition; the degree Fahrenheit and the bar as in NIST SP 811, appendix B).
 */
interface UnitDefinition {
  readonly quantity: string;
  readonly factor: number;
  readonly offset?: number;
}

const definitions = {
  "": { quantity: "plain number", factor: 1 },
  "%": { quantity: "share", factor: 1 },
  "°C": { quantity: "temperature", factor: 1 },
  "°F": { quantity: "temperature", factor: 5 / 9, offset: -160 / 9 },
  K: { quantity: "temperature", factor: 1, offset: -273.15 },
  "B/s": { quantity: "data rate", factor: 1 },
  "kB/s": { quantity: "data rate", factor: 1e3 },
  "MB/s": { quantity: "data rate", factor: 1e6 },
  B: { quantity: "amount of data", factor: 1 },
  kB: { quantity: "amount of data", factor: 1e3 },
  MB: { quantity: "amount of data", factor: 1e6 },
  ms: { quantity: "time", factor: 1e-3 },
  s: { quantity: "time", factor: 1 },
  min: { quantity: "time", factor: 60 },
  h: { quantity: "time", factor: 3600 },
  Pa: { quantity: "pressure", factor: 1 },
  hPa: { quantity: "pressure", factor: 100 },
  kPa: { quantity: "pressure", factor: 1e3 },
  bar: { quantity: "pressure", factor: 1e5 },
  mV: { quantity: "voltage", factor: 1e-3 },
  V: { quantity: "voltage", factor: 1 },
  mA: { quantity: "current", factor: 1e-3 },
  A: { quantity: "current", factor: 1 },
  W: { quantity: "power", factor: 1 },
  kW: { quantity: "power", factor: 1e3 },
  J: { quantity: "energy", factor: 1 },
  Wh: { quantity: "energy", factor: 3600 },
  kWh: { quantity: "energy", factor: 3.6e6 },
  mAh: { quantity: "electric charge", factor: 3.6 },
  Ah: { quantity: "electric charge", factor: 3600 },
  mm: { quantity: "length", factor: 1e-3 },
  cm: { quantity: "length", factor: 1e-2 },
  m: { quantity: "length", factor: 1 },
  Hz: { quantity: "frequency", factor: 1 },
  kHz: { quantity: "frequency", factor: 1e3 },
  rpm: { quantity: "frequency", factor: 1 / 60 },
  lx: { quantity: "illuminance", factor: 1 },
  ppm: { quantity: "concentration", factor: 1 },
} as const satisfies Record<string, UnitDefinition>;

export type Unit = keyof typeof definitions;

export const units = Object.keys(definitions) as readonly Unit[];

export function isUnit(text: unknown): text is Unit {
  return typeof text === "string" && Object.hasOwn(definitions, text);
}

/** What a unit measures: `°C` measures temperature. */
export function quantityOf(unit: Unit): string {
  return definitions[unit].quantity;
}

/** How `value * gain + offset` makes a value in another unit of the same quantity; throws RangeError when the quantities differ. */
export function conversion(from: Unit, to: Unit): { gain: number; offset: number } {
  const source: UnitDefinition = definitions[from];
  const target: UnitDefinition = definitions[to];
  if (source.quantity !== target.quantity) {
    throw new RangeError(`${from} measures ${source.quantity} and ${to} measures ${target.quantity}`);
  }
  const offset = ((source.offset ?? 0) - (target.offset ?? 0)) / target.factor;
  return { gain: source.factor / target.factor, offset };
}

/** `°C` gives `°C/s`, and `B/s` gives `B/s²`. */
export function perSecond(unit: string): string {
  return unit.endsWith("/s") ? `${unit}²` : `${unit || "1"}/s`;
}

/** `W` gives `Wh` and, per second, `J`; `B/s` gives `B`; `°C` gives `°C·h`. */
export function integrated(unit: string, per: "s" | "min" | "h"): string {
  if (per === "s" && unit.endsWith("/s")) return unit === "1/s" ? "" : unit.slice(0, -2);
  if (per === "s" && unit.endsWith("/s²")) return unit.slice(0, -1);
  if (per === "s" && unit === "W") return "J";
  if (per === "h" && ["W", "kW", "A", "mA"].includes(unit)) return `${unit}h`;
  return unit === "" ? per : `${unit}·${per}`;
}

/** `value` in another unit of the same quantity; throws RangeError when the quantities differ. */
export function convert(value: number, from: Unit, to: Unit): number {
  if (from === to) return value;
  const source: UnitDefinition = definitions[from];
  const target: UnitDefinition = definitions[to];
  if (source.quantity !== target.quantity) {
    throw new RangeError(`${from} measures ${source.quantity} and ${to} measures ${target.quantity}`);
  }
  return (value * source.factor + (source.offset ?? 0) - (target.offset ?? 0)) / target.factor;
}
