/** The board's ports inside XS on a desktop: each call goes to the parent process (`calls.ts`). */
import { decodeCbor, TimerQueue } from "../../core.ts";
import type {
  Actuators,
  Bluetooth,
  BoardConfig,
  Button,
  Ciphers,
  Clock,
  FlashRegion,
  KeyValue,
  Light,
  LogLevel,
  MemoryFigures,
  Network,
  OutputConfig,
  Ports,
  Random,
  Sensors,
  SerialLine,
  StartReason,
  System,
  TcpConnection,
  TcpEvents,
  Timer,
  UdpEvents,
  UdpSocket,
  UpdateSlot,
} from "../ports.ts";
import { Arrival, Call } from "./calls.ts";
import { DesktopCiphers } from "./ciphers.ts";
import type { Host } from "./host.ts";
import { DesktopNear } from "./near.ts";
import { Parent, type Wire } from "./parent.ts";
import {
  DesktopFlash,
  DesktopKeyValue,
  DesktopUpdateSlot,
  keepCalls,
  logCalls,
  slotCalls,
} from "./storage.ts";

export class DesktopPorts implements Ports {
  readonly clock: DesktopClock;
  readonly random: Random;
  readonly ciphers: Ciphers;
  readonly flash: FlashRegion;
  readonly network: DesktopNetwork;
  readonly sensors: Sensors;
  readonly actuators: Actuators;
  readonly system: System;
  readonly keyValue?: KeyValue;
  readonly update?: UpdateSlot;
  readonly keeping?: FlashRegion;
  readonly serial?: SerialLine;
  readonly bluetooth?: Bluetooth;
  readonly button?: Button;
  readonly light?: Light;

  constructor(host: Host) {
    const parent = new Parent(host);
    const config = parent.call([Call.config]) as ConfigAnswer;
    const [swarm, board, model, hosts, timeServer, startReason, ...others] = config;
    const [sizeBytes, sectorBytes, alignBytes, [root, signed, privateKey], chip] = others;
    const [hasKeyValues, slotBytes, isOnTrial, keptBytes] = chip;
    this.clock = new DesktopClock(host);
    const ciphers = new DesktopCiphers(parent);
    this.random = new DesktopRandom(ciphers);
    this.ciphers = ciphers;
    this.flash = new DesktopFlash(parent, logCalls, sizeBytes, sectorBytes, alignBytes);
    if (hasKeyValues) this.keyValue = new DesktopKeyValue(parent);
    if (slotBytes > 0) {
      const region = new DesktopFlash(parent, slotCalls, slotBytes, sectorBytes, alignBytes);
      this.update = new DesktopUpdateSlot(parent, region, isOnTrial);
    }
    if (keptBytes > 0) this.keeping = new DesktopFlash(parent, keepCalls, keptBytes, sectorBytes, alignBytes);
    const near = new DesktopNear(parent);
    if (near.serial !== undefined) this.serial = near.serial;
    if (near.bluetooth !== undefined) this.bluetooth = near.bluetooth;
    if (near.button !== undefined) this.button = near.button;
    if (near.light !== undefined) this.light = near.light;
    this.network = new DesktopNetwork(parent, near);
    this.sensors = new DesktopSensors(parent);
    this.actuators = new DesktopActuators(parent);
    const boardConfig = {
      swarm,
      board,
      model,
      hosts: hosts.map(([name, address, port]) => ({ name, address, port })),
      timeServer: timeServer ?? undefined,
      credentials: { root, signed, privateKey },
    };
    this.system = new DesktopSystem(parent, host, boardConfig, startReason ?? undefined);
  }
}

type ConfigAnswer = readonly [
  string,
  string,
  string,
  readonly (readonly [string, string, number])[],
  string | null,
  StartReason | null,
  number,
  number,
  number,
  readonly [Uint8Array, Uint8Array, Uint8Array],
  readonly [boolean, number, boolean, number],
];

export class DesktopClock implements Clock {
  readonly timers = new TimerQueue();
  readonly #host: Host;

  constructor(host: Host) {
    this.#host = host;
  }

  nowMs(): number {
    return Math.floor(this.#host.now());
  }

  setTimer(delayMs: number, callback: () => void): Timer {
    return this.timers.set(this.nowMs() + delayMs, callback);
  }
}

export class DesktopNetwork implements Network {
  readonly changeWifi?: NonNullable<Network["changeWifi"]>;
  readonly scanWifi?: NonNullable<Network["scanWifi"]>;
  readonly #parent: Parent;
  readonly #near: DesktopNear;
  readonly #sockets = new Map<number, TcpEvents>();
  readonly #udpSockets = new Map<number, UdpEvents>();
  #lastSocket = 0;
  #onChange: ((up: boolean) => void) | undefined;

  constructor(parent: Parent, near: DesktopNear) {
    this.#parent = parent;
    this.#near = near;
    if (!near.hasWifi) return;
    this.changeWifi = (wifi) => near.changeWifi(wifi);
    this.scanWifi = (networksMax, onSeen) => near.scanWifi(networksMax, onSeen);
  }

  start(onChange: (up: boolean) => void): void {
    this.#onChange = onChange;
    this.#parent.call([Call.networkStart]);
  }

  connect(host: string, port: number, events: TcpEvents): TcpConnection {
    const socket = ++this.#lastSocket;
    this.#sockets.set(socket, events);
    this.#parent.call([Call.tcpOpen, socket, host, port]);
    return new DesktopConnection(this.#parent, this.#sockets, socket);
  }

  openUdp(port: number, events: UdpEvents, group?: string): UdpSocket {
    const socket = ++this.#lastSocket;
    this.#parent.call([Call.udpOpen, socket, port, group ?? null]);
    this.#udpSockets.set(socket, events);
    return new DesktopUdpSocket(this.#parent, this.#udpSockets, socket);
  }

  /** Something that the parent tells; what it says of a socket that was closed meanwhile is dropped. */
  onArrival(payload: ArrayBuffer): void {
    const items = decodeCbor(new Uint8Array(payload)) as readonly [number, number, Wire, string, number];
    const [opcode, socket, what, address, port] = items;
    switch (opcode) {
      case Arrival.networkUp:
        this.#onChange?.(true);
        break;
      case Arrival.networkDown:
        this.#onChange?.(false);
        break;
      case Arrival.tcpOpened:
        this.#sockets.get(socket)?.onOpen();
        break;
      case Arrival.tcpData:
        this.#sockets.get(socket)?.onData(what as Uint8Array);
        break;
      case Arrival.tcpClosed: {
        const events = this.#sockets.get(socket);
        this.#sockets.delete(socket);
        events?.onClose(what as string);
        break;
      }
      case Arrival.udpData:
        this.#udpSockets.get(socket)?.onData(what as Uint8Array, address, port);
        break;
      default:
        if (this.#near.onArrival(opcode, items[1], what)) break;
        throw new RangeError(`The parent said ${opcode}, which this board does not know.`);
    }
  }
}

class DesktopConnection implements TcpConnection {
  readonly #parent: Parent;
  /** Those that are open. */
  readonly #sockets: Map<number, TcpEvents>;
  readonly #socket: number;

  constructor(parent: Parent, sockets: Map<number, TcpEvents>, socket: number) {
    this.#parent = parent;
    this.#sockets = sockets;
    this.#socket = socket;
  }

  write(bytes: Uint8Array): boolean {
    const socket = this.#socket;
    return this.#sockets.has(socket) && this.#parent.call([Call.tcpWrite, socket, bytes]) === true;
  }

  close(): void {
    if (this.#sockets.delete(this.#socket)) this.#parent.call([Call.tcpClose, this.#socket]);
  }
}

class DesktopUdpSocket implements UdpSocket {
  readonly #parent: Parent;
  /** Those that are open. */
  readonly #sockets: Map<number, UdpEvents>;
  readonly #socket: number;

  constructor(parent: Parent, sockets: Map<number, UdpEvents>, socket: number) {
    this.#parent = parent;
    this.#sockets = sockets;
    this.#socket = socket;
  }

  send(host: string, port: number, bytes: Uint8Array): void {
    const socket = this.#socket;
    if (this.#sockets.has(socket)) this.#parent.call([Call.udpSend, socket, host, port, bytes]);
  }

  close(): void {
    if (this.#sockets.delete(this.#socket)) this.#parent.call([Call.udpClose, this.#socket]);
  }
}

class DesktopRandom implements Random {
  readonly #ciphers: Ciphers;

  constructor(ciphers: Ciphers) {
    this.#ciphers = ciphers;
  }

  fill(into: Uint8Array): void {
    this.#ciphers.random(into);
  }
}

class DesktopSensors implements Sensors {
  readonly #parent: Parent;

  constructor(parent: Parent) {
    this.#parent = parent;
  }

  read(sensor: string): number {
    return this.#parent.call([Call.sensorRead, sensor]) as number;
  }
}

class DesktopActuators implements Actuators {
  readonly #parent: Parent;

  constructor(parent: Parent) {
    this.#parent = parent;
  }

  configure({ name, kind, pin, safeValue }: OutputConfig): void {
    this.#parent.call([Call.outputConfigure, name, kind, pin, safeValue]);
  }

  write(name: string, value: number): void {
    this.#parent.call([Call.outputWrite, name, value]);
  }

  release(name: string): void {
    this.#parent.call([Call.outputRelease, name]);
  }
}

class DesktopSystem implements System {
  readonly config: BoardConfig;
  readonly startReason: StartReason | undefined;
  readonly #parent: Parent;
  readonly #host: Host;

  constructor(parent: Parent, host: Host, config: BoardConfig, startReason: StartReason | undefined) {
    this.#parent = parent;
    this.#host = host;
    this.config = config;
    this.startReason = startReason;
  }

  memory(): MemoryFigures {
    const host = this.#host;
    return {
      heapUsedBytes: host.heapUsed(),
      heapPeakBytes: host.heapPeak(),
      arenaBytes: host.arena(),
      stackPeakSlots: host.stackPeak(),
    };
  }

  log(level: LogLevel, text: string): void {
    this.#parent.call([Call.log, level, text]);
  }

  restart(reason: string): void {
    this.#parent.call([Call.restart, reason]);
  }

  deepSleep(durationMs: number): void {
    this.#parent.call([Call.deepSleep, durationMs]);
  }

  markValid(): void {
    this.#parent.call([Call.markValid]);
  }
}
