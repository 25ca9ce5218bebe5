/**
 * The drivers that a board's file may name: where the Moddable SDK (8.2.3) or the firmware has each, and which sensors of
 * the catalogue it reads.
 *
 * All have ECMA-419's shape: `new Driver({ sensor: { io, data, clock, address } })`, `sample()`, `close()`.
 */
import type { SensorName } from "../swarm-file/sensors.ts";

export interface SensorDriver {
  /** Maker and part. */
  readonly title: string;
  /** Bus class of ECMA-419 that the driver is written for: plain I2C, or SMBus with its registers. */
  readonly io: "i2c" | "smbus";
  /** I2C address, unless the board's file gives another. */
  readonly address: number;
  readonly module: SdkModule | OwnModule;
  /** What `sample()` gives, by the sensor's name in the catalogue; none where the catalogue has no such sensor yet. */
  readonly readings: Readonly<Partial<Record<SensorName, Reading>>>;
}

/** A driver of the SDK: what it is imported as, and the manifest that brings it. */
export interface SdkModule {
  readonly specifier: string;
  readonly manifest: string;
}

/** A driver of the firmware: its file in `firmware/drivers/` and the class that it exports. */
export interface OwnModule {
  readonly file: string;
  readonly className: string;
}

export interface Reading {
  /** Path in the sample, such as `thermometer.temperature`. */
  readonly path: string;
  /** From the driver's unit to the catalogue's. */
  readonly scale: number;
}

export const sensorDrivers: Readonly<Record<string, SensorDriver>> = {
  aht10: climate("Aosong AHT10", 0x38, sdk("Humidity-Temperature/AHT10", "aht10")),
  bme280: {
    ...climate("Bosch BME280", 0x76, { file: "bme280.ts", className: "Bme280" }),
    readings: {
      temperature: inSample("thermometer.temperature"),
      humidity: ratio("hygrometer.humidity"),
      pressure: pascal("barometer.pressure"),
    },
  },
  bmp280: {
    title: "Bosch BMP280",
    io: "smbus",
    address: 0x76,
    module: sdk("Barometer-Temperature/BMP280", "bmp280"),
    readings: { temperature: inSample("thermometer.temperature"), pressure: pascal("barometer.pressure") },
  },
  // By the driver for the Si7020, whose commands and formulas are the HTU21D's: in that for the HTU21D, `sample()` throws.
  htu21d: climate("TE Connectivity HTU21D", 0x40, sdk("Humidity-Temperature/SI7020", "si7020")),
  lm75: thermometer("NXP LM75", sdk("Temperature/LM75", "lm75")),
  mpu6886: {
    title: "TDK InvenSense MPU6886",
    io: "smbus",
    address: 0x68,
    module: sdk("Accelerometer-Gyroscope/MPU6886", "mpu6886"),
    // Its thermometer is for its own compensation: it tells the chip's warmth, not the air's.
    readings: {},
  },
  scd4x: {
    ...climate("Sensirion SCD40, SCD41 and SCD43", 0x62, { file: "scd4x.ts", className: "Scd4x" }),
    readings: {
      co2: inSample("carbonDioxideDetector.CO2"),
      temperature: inSample("thermometer.temperature"),
      humidity: ratio("hygrometer.humidity"),
    },
  },
  sht3x: climate("Sensirion SHT3x", 0x44, sdk("Humidity-Temperature/SHT3x", "sht3x")),
  shtc3: climate("Sensirion SHTC3", 0x70, sdk("Humidity-Temperature/SHTC3", "shtc3")),
  si7020: climate("Silicon Labs Si7020", 0x40, sdk("Humidity-Temperature/SI7020", "si7020")),
  tmp102: thermometer("Texas Instruments TMP102", sdk("Temperature/TMP102", "tmp102")),
  tmp117: thermometer("Texas Instruments TMP117", sdk("Temperature/TMP117", "tmp117")),
};

function sdk(name: string, folder: string): SdkModule {
  return {
    specifier: `embedded:sensor/${name}`,
    manifest: `$(MODDABLE)/modules/drivers/sensors/${folder}/manifest.json`,
  };
}

/** The SDK's drivers give relative humidity in percent, where ECMA-419 has 0 to 1. */
function climate(title: string, address: number, module: SdkModule | OwnModule): SensorDriver {
  const readings = {
    temperature: inSample("thermometer.temperature"),
    humidity: inSample("hygrometer.humidity"),
  };
  return { title, io: "i2c", address, module, readings };
}

function thermometer(title: string, module: SdkModule): SensorDriver {
  return { title, io: "smbus", address: 0x48, module, readings: { temperature: inSample("temperature") } };
}

function inSample(path: string): Reading {
  return { path, scale: 1 };
}

/** From 0 to 1, to percent. */
function ratio(path: string): Reading {
  return { path, scale: 100 };
}

/** From pascal to hectopascal. */
function pascal(path: string): Reading {
  return { path, scale: 0.01 };
}
