// @ts-check
/** Numbers, as people read them. */

/**
 * A measured number, to about three places; always with the same digits, so that a living number stands still.
 * @param {number} value
 */
export function rounded(value) {
  const size = Math.abs(value);
  const digits = size >= 100 ? 0 : size >= 10 ? 1 : size >= 1 ? 2 : 3;
  return value.toLocaleString("en", { minimumFractionDigits: digits, maximumFractionDigits: digits });
}

/**
 * A number that somebody chose, as it is.
 * @param {number} value
 */
export function exact(value) {
  return value.toLocaleString("en", { maximumFractionDigits: 9 });
}

/** @param {number} value */
export function bytes(value) {
  if (value < 1024) return `${value} B`;
  if (value < 1024 ** 2) return `${tenths(value / 1024)} KiB`;
  return `${tenths(value / 1024 ** 2)} MiB`;
}

/** @param {number} ms */
export function duration(ms) {
  const seconds = Math.floor(ms / 1000);
  if (seconds < 60) return `${seconds} s`;
  if (seconds < 3600) return `${Math.floor(seconds / 60)} min`;
  if (seconds < 86_400) return `${Math.floor(seconds / 3600)} h ${Math.floor((seconds % 3600) / 60)} min`;
  return `${Math.floor(seconds / 86_400)} d ${Math.floor((seconds % 86_400) / 3600)} h`;
}

/**
 * @param {string} amount
 * @param {string} unit empty for none
 */
export function withUnit(amount, unit) {
  return unit === "" ? amount : `${amount}\u202f${unit}`;
}

/** @param {number} value */
export function tenths(value) {
  return value.toLocaleString("en", { maximumFractionDigits: 1 });
}
