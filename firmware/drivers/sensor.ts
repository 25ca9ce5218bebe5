/**
 * What the drivers here share: a sensor in the shape of ECMA-419's Sensor Class Pattern, over an I2C connection that is
 * handed in.
 *
 * The shape keeps the SDK's own drivers and these interchangeable: `new Driver({ sensor: { io, ... } })`, `configure`,
 * `sample`, `close`. Two things are added, because no driver here may block the board while a chip converts: `clock`
 * among the options, and `reason`, which says why the last `sample()` had nothing to give.
 */
import type { Clock } from "../platform/ports.ts";

/** The part of ECMA-419's `I2C` (and so of `SMBus`) that a driver uses. Each call is one bus transaction; a refused one throws. */
export interface I2cDevice {
  write(bytes: Uint8Array): unknown;
  /** Fills all of `into`. */
  read(into: Uint8Array): unknown;
  close(): void;
}

/** What an `io` class is made with; beside these, whatever the platform needs, such as `data` and `clock` pins. */
export interface I2cOptions {
  readonly address: number;
  /** Bus clock in hertz. */
  readonly hz: number;
  readonly [platformOption: string]: unknown;
}

/** Where the sensor is connected. Address and clock are the driver's to know, unless they are given. */
export interface I2cConnection extends Partial<I2cOptions> {
  readonly io: new (options: I2cOptions) => I2cDevice;
}

export interface SensorOptions {
  readonly sensor: I2cConnection;
  readonly clock: Clock;
  /** A reading is there that was not when `sample()` was last called. */
  onSample?(): void;
  /** The sensor can no longer be used; only `close()` may follow. Whatever can pass is no error but a `reason`. */
  onError?(error: Error): void;
}

/** Why `sample()` returned undefined, or put NaN in its place. */
export type NoReading =
  /** The sensor has been reset and is not set up yet. */
  | "starting"
  /** A conversion is under way, or was just begun. */
  | "measuring"
  /** The sensor lost its settings, as it does without power; it is being set up again. */
  | "restarted"
  /** What came over the wire does not match its checksum, or is no calibration that a factory would store. */
  | "corrupt"
  /** The result lies outside the sensor's rated range. */
  | "out-of-range"
  /** Given up: `onError` was called, or `close()`. */
  | "closed";

/** The sensor did not acknowledge, or the bus failed. It may be back at the next call. */
export class SensorIoError extends Error {
  readonly sensor: string;
  readonly address: number;
  readonly operation: "open" | "read" | "write";

  constructor(sensor: string, address: number, operation: "open" | "read" | "write", cause: unknown) {
    super(
      `${sensor} at I2C address 0x${address.toString(16)}: ${operation} failed (${cause}). Check its wiring, power and address.`,
    );
    this.sensor = sensor;
    this.address = address;
    this.operation = operation;
  }

  override get name(): string {
    return "SensorIoError";
  }
}

/** Something answers at the address, but not the sensor that the driver is for. */
export class WrongSensorError extends Error {
  readonly sensor: string;
  readonly address: number;
  /** What it said it is. */
  readonly found: number;

  constructor(sensor: string, address: number, found: number, expected: string) {
    super(
      `At I2C address 0x${address.toString(16)} is no ${sensor}: it identifies as 0x${found.toString(16)}, not ${expected}. Check the board's sensor list.`,
    );
    this.sensor = sensor;
    this.address = address;
    this.found = found;
  }

  override get name(): string {
    return "WrongSensorError";
  }
}

/** An I2C connection whose failures are `SensorIoError`s. */
export class SensorBus {
  readonly #sensor: string;
  readonly address: number;
  #io: I2cDevice | undefined;

  constructor(sensor: string, connection: I2cConnection, defaults: { address: number; hz: number }) {
    this.#sensor = sensor;
    this.address = connection.address ?? defaults.address;
    try {
      this.#io = new connection.io({ ...defaults, ...connection });
    } catch (error) {
      throw new SensorIoError(sensor, this.address, "open", error);
    }
  }

  get isOpen(): boolean {
    return this.#io !== undefined;
  }

  write(bytes: Uint8Array): void {
    try {
      this.#io!.write(bytes);
    } catch (error) {
      throw new SensorIoError(this.#sensor, this.address, "write", error);
    }
  }

  read(into: Uint8Array): void {
    try {
      this.#io!.read(into);
    } catch (error) {
      throw new SensorIoError(this.#sensor, this.address, "read", error);
    }
  }

  /** Idempotent. */
  close(): void {
    this.#io?.close();
    this.#io = undefined;
  }
}
