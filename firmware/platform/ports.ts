/**
 * The board's ports: everything that the firmware may ask of the world it runs in.
 *
 * The runtime in `firmware/board/` holds one `Ports` value and nothing else of its surroundings, so the same core runs
 * on a chip (`moddable/`), in the real XS engine on a desktop (`desktop/`) and inside Node with virtual time
 * (`virtual/`). Calls return at once; what takes time reports back through a callback on a later turn. All times are
 * integer milliseconds of one monotonic clock that starts anywhere and survives nothing.
 */
export interface Ports {
  readonly clock: Clock;
  readonly random: Random;
  readonly flash: FlashRegion;
  readonly network: Network;
  readonly sensors: Sensors;
  readonly actuators: Actuators;
  readonly system: System;
}

export interface Clock {
  /** Milliseconds since an arbitrary origin; never goes back while the board is powered. */
  nowMs(): number;
  /** Calls `callback` once, `delayMs` (0 or more) from now. */
  setTimer(delayMs: number, callback: () => void): Timer;
}

export interface Timer {
  /** Idempotent; after it the callback is never called. */
  cancel(): void;
}

export interface Random {
  /** Fills `into` with bytes fit for keys and identities. */
  fill(into: Uint8Array): void;
}

/**
 * A raw region of NOR flash: an erase sets a sector to 0xFF; a write may only touch erased, aligned bytes. A call that
 * has returned is durable. Throws `RangeError` outside the region or off alignment.
 */
export interface FlashRegion {
  readonly sizeBytes: number;
  /** 4,096 on every ESP32. */
  readonly sectorBytes: number;
  /** Writes start and end on multiples of this; 16 keeps flash encryption possible. */
  readonly alignBytes: number;
  read(offsetBytes: number, lengthBytes: number): Uint8Array;
  write(offsetBytes: number, bytes: Uint8Array): void;
  eraseSector(sector: number): void;
}

export interface Network {
  /** Starts the interface (Wi-Fi on a board) and keeps it up; `onChange(true)` whenever sockets can be opened, `onChange(false)` when not. */
  start(onChange: (up: boolean) => void): void;
  /** Opens a TCP connection; every outcome arrives through `events`. */
  connect(host: string, port: number, events: TcpEvents): TcpConnection;
}

export interface TcpEvents {
  /** The connection is established. */
  onOpen(): void;
  /** Bytes arrived; the array is the receiver's to keep until the callback returns. */
  onData(bytes: Uint8Array): void;
  /** The connection is gone or never came up; called at most once, and not after `close()`. */
  onClose(reason: string): void;
}

export interface TcpConnection {
  /** Sends all of `bytes`, or returns false and sends none when the send buffer has no room. */
  write(bytes: Uint8Array): boolean;
  /** Idempotent. */
  close(): void;
}

export interface Sensors {
  /** The present value of a sensor in the unit that the sensor catalogue gives it; NaN when it has none to give. */
  read(sensor: string): number;
}

/** How an output is driven: `digital` takes 0 or 1, `pwm` a duty cycle in percent, 0 to 100. */
export type OutputKind = "digital" | "pwm";

export interface OutputConfig {
  readonly name: string;
  readonly kind: OutputKind;
  /** GPIO number. */
  readonly pin: number;
  /** Value at boot, after a crash, and when the board says so; in the output's own unit. */
  readonly safeValue: number;
}

export interface Actuators {
  /** Claims the pin and drives it to its safe value. Repeating it for the same name replaces the earlier claim. */
  configure(output: OutputConfig): void;
  write(name: string, value: number): void;
  /** Drives the output to its safe value and gives the pin back. */
  release(name: string): void;
}

export type LogLevel = "debug" | "info" | "warn" | "error";

export interface System {
  readonly config: BoardConfig;
  memory(): MemoryFigures;
  log(level: LogLevel, text: string): void;
  /** Restarts the board; does not return on a chip. */
  restart(reason: string): void;
}

/** What a board is told when it is flashed or provisioned; everything else comes through the log. */
export interface BoardConfig {
  readonly swarm: string;
  /** The board's name in `swarm.ts`. */
  readonly board: string;
  /** The kind of board: the name of a file in `boards/`. */
  readonly model: string;
  readonly leaderHost: string;
  readonly leaderPort: number;
}

export interface MemoryFigures {
  readonly heapUsedBytes: number;
  readonly heapPeakBytes: number;
  readonly arenaBytes: number;
}
