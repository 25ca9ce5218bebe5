import type { Clock, Sensors, System } from "../ports.ts";
import type { AttachedSensors } from "./board-sensors.ts";
import { Rate, type Traffic } from "./traffic.ts";

/** What a board senses of itself, and what is attached to it. A sensor of the catalogue that it has not reads NaN. */
export class ChipSensors implements Sensors {
  readonly #clock: Clock;
  readonly #system: System;
  readonly #traffic: Traffic;
  readonly #attached: AttachedSensors;
  readonly #received: Rate;
  readonly #sent: Rate;

  constructor(clock: Clock, system: System, traffic: Traffic, attached: AttachedSensors) {
    this.#clock = clock;
    this.#system = system;
    this.#traffic = traffic;
    this.#attached = attached;
    this.#received = new Rate(traffic.receivedBytes, clock.nowMs());
    this.#sent = new Rate(traffic.sentBytes, clock.nowMs());
  }

  startRound(): void {
    this.#attached.startRound();
  }

  read(sensor: string): number {
    switch (sensor) {
      case "memory.used": {
        const { heapUsedBytes, arenaBytes } = this.#system.memory();
        return (heapUsedBytes * 100) / arenaBytes;
      }
      case "network.received":
        return this.#received.read(this.#traffic.receivedBytes, this.#clock.nowMs());
      case "network.sent":
        return this.#sent.read(this.#traffic.sentBytes, this.#clock.nowMs());
      default:
        return this.#attached.read(sensor);
    }
  }
}
