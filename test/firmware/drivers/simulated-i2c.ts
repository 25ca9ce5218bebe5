/** An I2C bus at the level of bytes, behind the same class as the SDK's `I2C`; and the clock that its devices live by. */

import type { I2cDevice, I2cOptions } from "../../../firmware/drivers/sensor.ts";
import type { Clock, Timer } from "../../../firmware/platform/ports.ts";
import { TimerQueue } from "../../../firmware/platform/timer-queue.ts";

/** What sits on the bus at an address: it is started, given or asked for bytes, and stopped. */
export interface SimulatedDevice {
  /** The address byte; false refuses it (NACK). */
  start(isRead: boolean): boolean;
  /** One byte to the device; false refuses it. */
  write(byte: number): boolean;
  /** One byte from the device. */
  read(): number;
  stop(): void;
}

export class SimulatedBus {
  readonly #devices = new Map<number, SimulatedDevice>();
  readonly #open = new Set<number>();
  /** Transactions so far. */
  transactions = 0;
  /** Refuses every transaction from this one on: the plug is pulled half-way. */
  unpluggedFrom = Infinity;

  plug(address: number, device: SimulatedDevice): void {
    this.#devices.set(address, device);
  }

  deviceAt(address: number): SimulatedDevice | undefined {
    return this.#devices.get(address);
  }

  unplug(address: number): void {
    this.#devices.delete(address);
  }

  get openConnections(): number {
    return this.#open.size;
  }

  /** The class to give a driver as `sensor.io`; failures are worded as the SDK's `_i2c.c` words them. */
  get io(): new (
    options: I2cOptions,
  ) => I2cDevice {
    const bus = this;
    return class {
      readonly #address: number;

      constructor(options: I2cOptions) {
        if (!(options.hz > 0)) throw new RangeError("invalid hz");
        if (bus.#open.has(options.address)) throw new RangeError("duplicate address");
        this.#address = options.address;
        bus.#open.add(options.address);
      }

      write(bytes: Uint8Array): void {
        const device = bus.#begin(this.#address, false);
        const isTaken = device !== undefined && bytes.every((byte) => device.write(byte));
        device?.stop();
        if (!isTaken) throw new Error("write failed");
      }

      read(into: Uint8Array): void {
        const device = bus.#begin(this.#address, true);
        if (device === undefined) throw new Error("read failed");
        for (let at = 0; at < into.length; at++) into[at] = device.read();
        device.stop();
      }

      close(): void {
        bus.#open.delete(this.#address);
      }
    };
  }

  #begin(address: number, isRead: boolean): SimulatedDevice | undefined {
    if (this.transactions++ >= this.unpluggedFrom) return undefined;
    const device = this.#devices.get(address);
    return device?.start(isRead) ? device : undefined;
  }
}

/** Time that passes only when told. */
export class SimulatedClock implements Clock {
  readonly #timers = new TimerQueue();
  #nowMs = 1000;

  nowMs(): number {
    return this.#nowMs;
  }

  setTimer(delayMs: number, callback: () => void): Timer {
    return this.#timers.set(this.#nowMs + delayMs, callback);
  }

  get hasTimers(): boolean {
    return this.#timers.nextMs !== Infinity;
  }

  advance(ms: number): void {
    const endMs = this.#nowMs + ms;
    while (this.#timers.nextMs <= endMs) {
      this.#nowMs = Math.max(this.#nowMs, this.#timers.nextMs);
      this.#timers.runDue(this.#nowMs);
    }
    this.#nowMs = endMs;
  }
}
