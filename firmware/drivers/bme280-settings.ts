/** What a BME280 can be set to, and how its registers say it (BST-BME280-DS002, section 5.4). */

export interface Bme280Settings {
  readonly mode: "normal" | "forced";
  /** 1, 2, 4, 8 or 16. Never skipped: the other two quantities can't be computed without it. */
  readonly temperatureOversampling: number;
  /** 0 (skipped), 1, 2, 4, 8 or 16. */
  readonly pressureOversampling: number;
  /** 0 (skipped), 1, 2, 4, 8 or 16. */
  readonly humidityOversampling: number;
  /** 0 (off), 2, 4, 8 or 16: the chip's own low-pass filter of temperature and pressure. */
  readonly filter: number;
  /** 0.5, 10, 20, 62.5, 125, 250, 500 or 1,000: rest between measurements in normal mode. */
  readonly standbyMs: number;
}

/** Least current and no self-heating, and always a reading that is younger than about a second. */
export const defaultSettings: Bme280Settings = Object.freeze({
  mode: "normal",
  temperatureOversampling: 1,
  pressureOversampling: 1,
  humidityOversampling: 1,
  filter: 0,
  standbyMs: 1000,
});

/** Factors of oversampling, each at the place of its code (tables 20, 23 and 24). */
const oversamplings: readonly number[] = Object.freeze([0, 1, 2, 4, 8, 16]);
/** Coefficients of the filter, at the place of their code (table 28). */
const filters: readonly number[] = Object.freeze([0, 2, 4, 8, 16]);
/** Milliseconds of rest, at the place of their code (table 27). */
const standbysMs: readonly number[] = Object.freeze([0.5, 62.5, 125, 250, 500, 1000, 10, 20]);

/** Longest time of one measurement, section 9.1. */
export function measurementMsMax(settings: Bme280Settings): number {
  const { temperatureOversampling, pressureOversampling, humidityOversampling } = settings;
  let ms = 1.25 + 2.3 * temperatureOversampling;
  if (pressureOversampling !== 0) ms += 2.3 * pressureOversampling + 0.575;
  if (humidityOversampling !== 0) ms += 2.3 * humidityOversampling + 0.575;
  // One more, because a timer of a board may be early by one.
  return Math.ceil(ms) + 1;
}

/** `ctrl_meas` without its mode (5.4.5). */
export function measurementControlOf(settings: Bme280Settings): number {
  const temperature = oversamplings.indexOf(settings.temperatureOversampling);
  return (temperature << 5) | (oversamplings.indexOf(settings.pressureOversampling) << 2);
}

/** `ctrl_hum` (5.4.3). */
export function humidityControlOf(settings: Bme280Settings): number {
  return oversamplings.indexOf(settings.humidityOversampling);
}

/** `config` (5.4.6). */
export function configOf(settings: Bme280Settings): number {
  return (standbysMs.indexOf(settings.standbyMs) << 5) | (filters.indexOf(settings.filter) << 2);
}

/** Throws `RangeError` for what the chip does not have. */
export function checkSettings(settings: Bme280Settings): void {
  if (settings.mode !== "normal" && settings.mode !== "forced") {
    throw new RangeError(`BME280: the mode is "normal" or "forced", not ${settings.mode}.`);
  }
  checkOneOf("temperatureOversampling", settings.temperatureOversampling, oversamplings);
  if (settings.temperatureOversampling === 0) {
    throw new RangeError("BME280: temperature can't be skipped, the other quantities are computed with it.");
  }
  checkOneOf("pressureOversampling", settings.pressureOversampling, oversamplings);
  checkOneOf("humidityOversampling", settings.humidityOversampling, oversamplings);
  checkOneOf("filter", settings.filter, filters);
  checkOneOf("standbyMs", settings.standbyMs, standbysMs);
}

function checkOneOf(name: string, value: number, allowed: readonly number[]): void {
  if (!allowed.includes(value)) {
    throw new RangeError(`BME280: ${name} is one of ${allowed.join(", ")}, not ${value}.`);
  }
}
