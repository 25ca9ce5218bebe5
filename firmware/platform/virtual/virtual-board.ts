/**
 * A board inside this process, with its time driven from outside: the same core as on a chip, directly on a `BoardWorld`.
 *
 * Nothing happens but in a turn. What the world brings (bytes, connections) waits until then, as it would for a board in a
 * process of its own, so a run depends on nothing but the order and the times of its turns.
 */
import { type Board, bootBoard } from "../../core.ts";
import type {
  Bluetooth,
  Clock,
  Network,
  Ports,
  SerialLine,
  System,
  TcpConnection,
  TcpEvents,
  Timer,
  UdpEvents,
  UdpSocket,
} from "../ports.ts";
import { TimerQueue } from "../timer-queue.ts";
import type { BoardWorld } from "./world.ts";

/** Arrivals that wait for a turn. */
export const arrivalsMax = 1024;

export class VirtualBoard {
  readonly #ports: Ports;
  readonly #clock = new VirtualClock();
  readonly #arrivals: (() => void)[] = [];
  readonly #onArrival: () => void;
  #board: Board | undefined;
  #isBooted = false;
  #isOff = false;

  /** `onArrival` is called whenever something waits for a turn that the last deadline did not announce. */
  constructor(world: BoardWorld, onArrival: () => void) {
    this.#onArrival = onArrival;
    this.#ports = {
      clock: this.#clock,
      random: world.random,
      ciphers: world.ciphers,
      flash: world.flash,
      network: this.#network(world.network),
      sensors: world.sensors,
      actuators: world.actuators,
      system: systemOf(world),
      ...(world.keyValue && { keyValue: world.keyValue }),
      ...(world.update && { update: world.update }),
      ...(world.keeping && { keeping: world.keeping }),
      ...(world.serial && { serial: this.#serial(world.serial) }),
      ...(world.bluetooth && { bluetooth: this.#bluetooth(world.bluetooth) }),
      ...(world.button && { button: world.button }),
      ...(world.light && { light: world.light }),
    };
  }

  /** The board itself, once the first turn has booted it. */
  get board(): Board | undefined {
    return this.#board;
  }

  /** When the board next needs a turn: -Infinity for now, because something waits; Infinity for never. */
  get nextDeadlineMs(): number {
    if (this.#isOff) return Infinity;
    return !this.#isBooted || this.#arrivals.length > 0 ? -Infinity : this.#clock.timers.nextMs;
  }

  /**
   * Boots the board in its first turn; then hands over what has arrived and runs the timers that are due. `nowMs` is an
   * integer and never falls. Gives the next deadline.
   */
  turn(nowMs: number): number {
    if (this.#isOff) return Infinity;
    this.#clock.advanceTo(nowMs);
    if (!this.#isBooted) this.#board = bootBoard(this.#ports);
    this.#isBooted = true;
    for (let waiting = this.#arrivals.length; waiting > 0 && !this.#isOff; waiting--)
      this.#arrivals.shift()!();
    if (!this.#isOff) this.#clock.timers.runDue(nowMs);
    return this.nextDeadlineMs;
  }

  /** Takes the power away: nothing happens any more, whatever the world brings. */
  powerOff(): void {
    this.#isOff = true;
    this.#arrivals.length = 0;
  }

  #arrive(arrival: () => void): void {
    if (this.#isOff) return;
    if (this.#arrivals.length >= arrivalsMax) {
      throw new RangeError(`The board does not keep up: ${arrivalsMax} arrivals wait for a turn.`);
    }
    this.#arrivals.push(arrival);
    this.#onArrival();
  }

  #network(network: Network): Network {
    return {
      start: (onChange) => network.start((up) => this.#arrive(() => onChange(up))),
      connect: (host, port, events) => this.#connect(network, host, port, events),
      ...(network.changeWifi && { changeWifi: (wifi) => network.changeWifi!(wifi) }),
      ...(network.scanWifi && {
        scanWifi: (networksMax, onSeen) =>
          network.scanWifi!(networksMax, (seen) => this.#arrive(() => onSeen(seen))),
      }),
      ...(network.openUdp && {
        openUdp: (port, events, group) => this.#openUdp(network, port, events, group),
      }),
    };
  }

  #serial(serial: SerialLine): SerialLine {
    return {
      listen: (onData) =>
        serial.listen((bytes) => {
          const own = bytes.slice();
          this.#arrive(() => onData(own));
        }),
      write: (bytes) => serial.write(bytes),
      close: () => serial.close(),
    };
  }

  #bluetooth(bluetooth: Bluetooth): Bluetooth {
    return {
      serve: (service, events) =>
        bluetooth.serve(service, {
          onConnected: (isConnected) => this.#arrive(() => events.onConnected(isConnected)),
          onWrite: (index, bytes) => {
            const own = bytes.slice();
            this.#arrive(() => events.onWrite(index, own));
          },
        }),
    };
  }

  #connect(network: Network, host: string, port: number, events: TcpEvents): TcpConnection {
    let isClosed = false;
    const arrive = (arrival: () => void) =>
      this.#arrive(() => {
        if (!isClosed) arrival();
      });
    const connection = network.connect(host, port, {
      onOpen: () => arrive(() => events.onOpen()),
      onData: (bytes) => {
        const own = bytes.slice();
        arrive(() => events.onData(own));
      },
      onClose: (reason) => arrive(() => events.onClose(reason)),
    });
    return {
      write: (bytes) => !isClosed && connection.write(bytes),
      close: () => {
        isClosed = true;
        connection.close();
      },
    };
  }

  #openUdp(network: Network, port: number, events: UdpEvents, group?: string): UdpSocket {
    let isClosed = false;
    const onData = (bytes: Uint8Array, address: string, from: number) => {
      const own = bytes.slice();
      this.#arrive(() => {
        if (!isClosed) events.onData(own, address, from);
      });
    };
    const socket = network.openUdp!(port, { onData }, group);
    return {
      send: (host, to, bytes) => {
        if (!isClosed) socket.send(host, to, bytes);
      },
      close: () => {
        isClosed = true;
        socket.close();
      },
    };
  }
}

class VirtualClock implements Clock {
  readonly timers = new TimerQueue();
  #nowMs = 0;

  nowMs(): number {
    return this.#nowMs;
  }

  advanceTo(nowMs: number): void {
    if (nowMs < this.#nowMs) throw new RangeError(`Time went back from ${this.#nowMs} to ${nowMs} ms.`);
    this.#nowMs = nowMs;
  }

  setTimer(delayMs: number, callback: () => void): Timer {
    return this.timers.set(this.#nowMs + delayMs, callback);
  }
}

/** Node has no arena, so the figures are 0: unknown. */
function systemOf({ system }: BoardWorld): System {
  return {
    config: system.config,
    get startReason() {
      return system.startReason;
    },
    get logLevel() {
      return system.logLevel;
    },
    feedWatchdog: (timeoutMs) => system.feedWatchdog?.(timeoutMs),
    memory: () => ({ heapUsedBytes: 0, heapPeakBytes: 0, arenaBytes: 0 }),
    log: (level, text) => system.log(level, text),
    restart: (reason) => system.restart(reason),
    ...(system.deepSleep && { deepSleep: (durationMs: number) => system.deepSleep!(durationMs) }),
    ...(system.markValid && { markValid: () => system.markValid!() }),
  };
}
