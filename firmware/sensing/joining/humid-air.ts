/**
 * What follows from the temperature of the air in °C and its relative humidity in %. Saturation after Magnus with the coefficients of Alduchov
 * and Eskridge (Journal of Applied Meteorology 35, 1996), within 0.4 % from -40 to 50 °C over water.
 */

/** Of Magnus's formula: without unit, °C, hPa. */
const a = 17.625;
const b = 243.04;
const c = 6.1094;

/** Pressure of saturated vapour in hPa. */
export function saturationPressure(celsius: number): number {
  return c * Math.exp((a * celsius) / (b + celsius));
}

/** In °C; NaN of air without any humidity. */
export function dewPoint(celsius: number, percent: number): number {
  const gamma = Math.log(percent / 100) + (a * celsius) / (b + celsius);
  return (b * gamma) / (a - gamma);
}

/** Grams of water in a cubic metre, by the gas law; 461.5 J/(kg K) is the constant of water vapour. */
export function absoluteHumidity(celsius: number, percent: number): number {
  const pascal = saturationPressure(celsius) * percent;
  return (1000 * pascal) / (461.5 * (celsius + 273.15));
}

/** By how much the vapour's pressure is short of saturation, in kPa: what plants feel (FAO Irrigation and Drainage Paper 56, chapter 3). */
export function vapourDeficit(celsius: number, percent: number): number {
  return (saturationPressure(celsius) / 10) * (1 - percent / 100);
}

/**
 * What the air feels like in the shade, in °C: the heat index as the US National Weather Service computes it (Rothfusz, SR 90-23, 1990, with the
 * service's adjustments; Steadman's simple formula below 80 °F).
 */
export function heatIndex(celsius: number, percent: number): number {
  const t = celsius * 1.8 + 32;
  const simple = 0.5 * (t + 61 + (t - 68) * 1.2 + percent * 0.094);
  const index = (simple + t) / 2 < 80 ? simple : regression(t, percent);
  return (index - 32) / 1.8;
}

function regression(t: number, r: number): number {
  const index =
    -42.379 +
    2.04901523 * t +
    10.14333127 * r -
    0.22475541 * t * r -
    6.83783e-3 * t * t -
    5.481717e-2 * r * r +
    1.22874e-3 * t * t * r +
    8.5282e-4 * t * r * r -
    1.99e-6 * t * t * r * r;
  if (r < 13 && t >= 80 && t <= 112) return index - ((13 - r) / 4) * Math.sqrt((17 - Math.abs(t - 95)) / 17);
  if (r > 85 && t >= 80 && t <= 87) return index + ((r - 85) / 10) * ((87 - t) / 5);
  return index;
}
