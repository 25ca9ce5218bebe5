import * as fs from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { ReplayFileError, readSeries } from "../../../host-tools/recording/series.ts";
import { ReplaySensor, seriesConversion } from "../../../host-tools/simulator/sensors/replay.ts";

let folder: string;
let file: string;

beforeEach(() => {
  folder = fs.mkdtempSync(join(tmpdir(), "covey-replay-"));
  file = join(folder, "series.csv");
});

afterEach(() => fs.rmSync(folder, { recursive: true }));

function series(...lines: string[]) {
  fs.writeFileSync(file, `${lines.join("\n")}\n`);
  return readSeries(file);
}

describe("reading a recorded series", () => {
  it.each([
    ["date and time", "2013-12-20 18:00:00", "2013-12-20 19:00:00"],
    ["ISO 8601 in UTC", "2013-12-20T18:00:00Z", "2013-12-20T19:00:00.000Z"],
    ["ISO 8601 with an offset", "2013-12-20T18:00:00+01:00", "2013-12-20T18:00:00Z"],
    ["seconds", "1387562400", "1387566000"],
    ["seconds with a fraction", "0.5", "3600.5"],
  ])("takes timestamps as %s", (_form, first, second) => {
    const { atSeconds, values, periodSeconds } = series("timestamp,value", `${first},70`, `${second},71.5`);
    expect([...atSeconds]).toEqual([0, 3600]);
    expect([...values]).toEqual([70, 71.5]);
    expect(periodSeconds).toBe(7200);
  });

  it("needs no header, and takes an empty value as a gap", () => {
    expect([...series("0,1", "1,", "2,nan", "3,4").values]).toEqual([1, Number.NaN, Number.NaN, 4]);
  });

  it.each([
    [["timestamp,value", "0,1", "soon,2"], 3, '"soon" is no timestamp'],
    [["0,1", "1,warm"], 2, '"warm" is no number'],
    [["0,1", "5,2", "5,3"], 3, "not after the one before it"],
    [["0,1", "1"], 2, "two columns"],
    [["timestamp,value", "0,1"], undefined, "at least two rows"],
    [["0,1", '1,"2'], undefined, "no CSV"],
  ])("names the line of what it cannot use: %j", (lines, line, message) => {
    const attempt = () => series(...lines);
    expect(attempt).toThrow(ReplayFileError);
    expect(attempt).toThrow(message);
    expect(attempt).toThrow(line === undefined ? file : `${file}:${line}: `);
  });

  it("says so when there is no such file", () => {
    expect(() => readSeries(file)).toThrow(`${file}: there is no such file.`);
  });

  it("refuses a unit that measures something else", () => {
    expect(() => seriesConversion(file, "hPa", "°C")).toThrow(/hPa measures pressure/);
    expect(() => seriesConversion(file, "furlong", "°C")).toThrow(/furlong is no unit/);
  });
});

describe("replaying a series", () => {
  it("holds each value until the next, in the sensor's unit, at the given speed", () => {
    let nowMs = 5000;
    const fahrenheit = seriesConversion(file, "°F", "°C");
    const sensor = new ReplaySensor(series("0,32", "3600,212"), 3600, fahrenheit, () => nowMs);
    expect(sensor.read()).toBeCloseTo(0);
    nowMs += 999;
    expect(sensor.read()).toBeCloseTo(0);
    nowMs += 1;
    expect(sensor.read()).toBeCloseTo(100);
  });

  it("starts again one step after the last row, and counts the rounds", () => {
    let nowMs = 0;
    const same = (value: number) => value;
    const sensor = new ReplaySensor(series("0,10", "1,11", "2,12"), 1, same, () => nowMs);
    nowMs = 2999;
    expect([sensor.read(), sensor.rounds]).toEqual([12, 0]);
    nowMs = 3000;
    expect([sensor.read(), sensor.rounds]).toEqual([10, 1]);
    nowMs = 10_500;
    expect([sensor.read(), sensor.rounds]).toEqual([11, 3]);
  });

  it("is hot enough in the greenhouse's recording to turn the fan up, and cools down again", () => {
    let nowMs = 0;
    const recording = join(import.meta.dirname, "../../../examples/greenhouse/data/office-temperature.csv");
    const celsius = seriesConversion(recording, "°F", "°C");
    const sensor = new ReplaySensor(readSeries(recording), 3600, celsius, () => nowMs);
    const firstMs = (accept: (value: number) => boolean) => {
      while (!accept(sensor.read())) nowMs += 1000;
      return nowMs;
    };
    expect(firstMs((value) => value > 28)).toBeLessThan(60_000);
    expect(firstMs((value) => value < 27)).toBeLessThan(120_000);
  });
});
