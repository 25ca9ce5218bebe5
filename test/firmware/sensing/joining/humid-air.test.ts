/** Humid air beside published tables. */
import { describe, expect, test } from "vitest";
import {
  absoluteHumidity,
  dewPoint,
  heatIndex,
  saturationPressure,
  vapourDeficit,
} from "../../../../firmware/sensing/joining/humid-air.ts";

// FAO Irrigation and Drainage Paper 56, annex 2, table 2.3, in kPa.
test.each([
  [5, 0.872],
  [10, 1.228],
  [15, 1.705],
  [20, 2.338],
  [25, 3.168],
  [30, 4.243],
  [35, 5.624],
  [40, 7.378],
])("at %d °C vapour is saturated at %d kPa", (celsius, kPa) => {
  expect(Math.abs(saturationPressure(celsius) / 10 / kPa - 1)).toBeLessThan(0.004);
});

// The same paper, annex 2: what its air is short of is saturation less the vapour that there is.
test("half humid air of 25 °C is 1.58 kPa short of saturation, and saturated air nothing", () => {
  expect(vapourDeficit(25, 50)).toBeCloseTo(3.168 / 2, 2);
  expect(vapourDeficit(25, 100)).toBe(0);
});

describe("the dew point", () => {
  test("of saturated air is its temperature", () => {
    for (const celsius of [-20, 0, 14.5, 40]) expect(dewPoint(celsius, 100)).toBeCloseTo(celsius, 12);
  });

  test("is where the vapour that there is is saturated", () => {
    for (const celsius of [-20, 0, 14.5, 40]) {
      for (const percent of [3, 20, 60, 99]) {
        const vapour = (saturationPressure(celsius) * percent) / 100;
        expect(saturationPressure(dewPoint(celsius, percent))).toBeCloseTo(vapour, 10);
      }
    }
  });

  // Lawrence, Bulletin of the American Meteorological Society 86, 2005: near saturation a degree for each 5 %.
  test("falls by a degree for each 5 % near saturation", () => {
    expect(20 - dewPoint(20, 90)).toBeCloseTo(2, 0);
  });

  test("of air without any humidity is none", () => expect(dewPoint(20, 0)).toBeNaN());
});

// Grams of water in a cubic metre of saturated air: Kaye and Laby, Tables of Physical and Chemical Constants, 3.4.
test.each([
  [0, 4.85],
  [10, 9.4],
  [20, 17.3],
  [30, 30.4],
  [40, 51.1],
])("saturated air of %d °C holds %d g/m³, and half humid air half of it", (celsius, grams) => {
  expect(Math.abs(absoluteHumidity(celsius, 100) / grams - 1)).toBeLessThan(0.006);
  expect(absoluteHumidity(celsius, 50)).toBeCloseTo(absoluteHumidity(celsius, 100) / 2, 12);
});

// The US National Weather Service's chart, in °F.
test.each([
  [80, 40, 80],
  [80, 80, 84],
  [90, 40, 91],
  [90, 50, 95],
  [86, 90, 105],
  [94, 70, 119],
  [100, 40, 109],
  [100, 50, 118],
  [110, 40, 136],
])("%d °F at %d % feel like %d °F", (fahrenheit, percent, feels) => {
  const celsius = (fahrenheit - 32) / 1.8;
  expect(Math.abs(heatIndex(celsius, percent) * 1.8 + 32 - feels)).toBeLessThan(1);
});

test("cool air feels as it is, and dry heat a little less", () => {
  expect(heatIndex(15, 50)).toBeCloseTo(14, 0);
  expect(heatIndex(40, 8)).toBeLessThan(40);
});
