/**
 * The board's ports: everything that the firmware may ask of the world it runs in.
 *
 * The runtime in `firmware/board/` holds one `Ports` value and nothing else of its surroundings, so the same core runs
 * on a chip (`moddable/`), in the real XS engine on a desktop (`desktop/`) and inside Node with virtual time
 * (`virtual/`). Calls return at once; what takes time reports back through a callback on a later turn. All times are
 * integer milliseconds of one monotonic clock that starts anywhere and survives nothing.
 */

import type { SeenNetwork } from "../../protocols/improv/rpc.ts";
import type { HostAddress } from "../../protocols/messages/host-address.ts";
import type { WifiCredentials } from "../../protocols/provisioning/contact.ts";
import type { Ciphers } from "../../protocols/security/ciphers.ts";

export { type HostAddress, hostsMax } from "../../protocols/messages/host-address.ts";
export type { CcmTagBytes, Ciphers, KeyPair } from "../../protocols/security/ciphers.ts";

export interface Ports {
  readonly clock: Clock;
  readonly random: Random;
  /** From the chip's own hardware where it has some. */
  readonly ciphers: Ciphers;
  readonly flash: FlashRegion;
  readonly network: Network;
  readonly sensors: Sensors;
  readonly actuators: Actuators;
  readonly system: System;
  /** Absent where nothing keeps small values: in the simulators, as long as nothing on the board uses it. */
  readonly keyValue?: KeyValue;
  /** The console's line; absent where the board has none. */
  readonly serial?: SerialLine;
  /** Absent where the image or the chip has no Bluetooth. */
  readonly bluetooth?: Bluetooth;
  /** The board's own button; absent where it has none. */
  readonly button?: Button;
  /** The board's own light; absent where it has none. */
  readonly light?: Light;
  /** Absent where the firmware can't be replaced: in the simulators. */
  readonly update?: UpdateSlot;
  /** For blocks of readings that the board keeps for others, its own alone. Opened when it is asked for; absent where the flash has no room for it. */
  readonly keeping?: FlashRegion | undefined;
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
  /** Leaves the Wi-Fi for this one and keeps that up. Absent where there is no Wi-Fi. */
  changeWifi?(wifi: WifiCredentials): void;
  /** Looks for Wi-Fi networks, which takes some seconds; the strongest first, at most `networksMax`. Absent where there is no Wi-Fi. */
  scanWifi?(networksMax: number, onSeen: (networks: readonly SeenNetwork[]) => void): void;
  /** Opens a TCP connection; every outcome arrives through `events`. */
  connect(host: string, port: number, events: TcpEvents): TcpConnection;
  /**
   * The same over TLS 1.2, which is the engine's own. A handshake that fails is an `onClose` with the reason. Absent where
   * the board was built without TLS.
   */
  readonly connectSecurely?:
    | ((host: string, port: number, tls: TlsOptions, events: TcpEvents) => TcpConnection)
    | undefined;
  /**
   * Opens a UDP socket; port 0 is any free one. It hears too what is sent to the multicast `group`, an address, where one is given, as long as the network
   * stays up. Throws when it can't be had. Absent where nothing on the board uses it.
   */
  openUdp?(port: number, events: UdpEvents, group?: string): UdpSocket;
}

export interface TlsOptions {
  /** The authority that must have signed the other side's certificate, as DER; else those that the image knows. */
  readonly authority?: Uint8Array;
}

export interface UdpEvents {
  /** A datagram arrived from this address; the array is the receiver's to keep until the callback returns. */
  onData(bytes: Uint8Array, address: string, port: number): void;
}

export interface UdpSocket {
  /** Sends a datagram to a host by name or address. It may be lost, as any may; also when the name can't be resolved. */
  send(host: string, port: number, bytes: Uint8Array): void;
  /** Idempotent. */
  close(): void;
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
  /**
   * A round of sampling begins: what is read until the next one is of one moment, so that a part that measures several
   * quantities is asked once. Absent where a read costs nothing.
   */
  startRound?(): void;
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
  /** Drives the output to its safe value, which it keeps until an output is configured on its pin again. */
  release(name: string): void;
}

export type LogLevel = "debug" | "info" | "warn" | "error";

/** `crash`: the engine or the chip gave up; `restart`: the firmware asked for it. */
export type StartReason = "power" | "restart" | "crash" | "watchdog" | "sleep";

export interface System {
  readonly config: BoardConfig;
  /** Why the board started. Absent where the platform cannot say. */
  readonly startReason?: StartReason | undefined;
  /** The least level that is wanted; info when absent. */
  readonly logLevel?: LogLevel | undefined;
  /**
   * Says that the board is alive. From the first call on, a board that does not call it again within `timeoutMs` is
   * restarted by the chip. Absent where nothing watches.
   */
  feedWatchdog?(timeoutMs: number): void;
  memory(): MemoryFigures;
  log(level: LogLevel, text: string): void;
  /** Restarts the board; does not return on a chip. */
  restart(reason: string): void;
  /**
   * Sleeps with everything but the real-time clock switched off, and starts anew after `durationMs`; does not return. What
   * is in RAM is lost, and outputs are as at power-on. Absent where a board can't.
   */
  deepSleep?(durationMs: number): void;
  /**
   * This firmware works. Until it says so, a firmware that came by an update gives way to the one before it at the next
   * restart. Absent where there are no updates.
   */
  markValid?(): void;
}

/** Small values under short names, which outlive restarts and updates. */
export interface KeyValue {
  /** undefined when there is none. `key` has 1 to 15 ASCII characters. */
  read(key: string): Uint8Array | undefined;
  /** Durable when it returns. At most 1,024 bytes; throws `RangeError` beyond, and `Error` when there is no room. */
  write(key: string, value: Uint8Array): void;
  /** Idempotent. */
  delete(key: string): void;
}

/** The serial line of the board's console, which the log shares. */
export interface SerialLine {
  /** Listens from now on. What came before is lost; the array is the receiver's to keep until the callback returns. */
  listen(onData: (bytes: Uint8Array) => void): void;
  /** Sends all of `bytes` in one piece, so that no line of the log comes between them. Bytes that nobody reads are lost. */
  write(bytes: Uint8Array): void;
  /** Stops listening. Idempotent. */
  close(): void;
}

/** The radio as a GATT server: one service, and one computer or telephone at a time. */
export interface Bluetooth {
  /** Switches the radio on and serves; only one service at a time. Throws when the radio can't be had. */
  serve(service: GattService, events: GattEvents): GattServer;
}

export interface GattService {
  /** Lower case, with dashes. */
  readonly uuid: string;
  readonly characteristics: readonly GattCharacteristic[];
}

export interface GattCharacteristic {
  readonly uuid: string;
  /** Can be read and subscribed to, or written to, with or without a response. */
  readonly kind: "value" | "command";
}

export interface GattEvents {
  onConnected(isConnected: boolean): void;
  /** Somebody wrote to a characteristic, whose place in the service is `index`. The array is the receiver's to keep until the callback returns. */
  onWrite(index: number, bytes: Uint8Array): void;
}

export interface GattServer {
  /** What the characteristic is from now on, at most 512 bytes; those who subscribed to it are told. */
  set(index: number, value: Uint8Array): void;
  /** Advertises this, at most 31 bytes, and answers a scan with the other, until it is closed. */
  advertise(data: Uint8Array, scanResponse: Uint8Array): void;
  /** Ends what is connected and switches the radio off. Idempotent. */
  close(): void;
}

export interface Button {
  isPressed(): boolean;
}

export interface Light {
  switch(isOn: boolean): void;
}

/** The part of the flash that does not run at present, and takes the firmware that is to run next. */
export interface UpdateSlot {
  /** Raw, the whole of it. */
  readonly region: FlashRegion;
  /** The firmware that runs came by an update and has not said `System.markValid` yet: at the next restart the one before it runs again. */
  readonly isOnTrial: boolean;
  /** The SHA-256 at the end of the image that runs, 32 bytes: it tells one firmware from another. Looked up when asked. */
  readonly running: Uint8Array;
  /** Checks the image in the slot, which runs from the next restart on, on trial. Throws when it is not one for this chip, or torn. */
  select(): void;
}

/** What a board is told when it is flashed or provisioned; everything else comes through the log. */
export interface BoardConfig {
  readonly swarm: string;
  /** The board's name in `swarm.ts`. */
  readonly board: string;
  /** The kind of board: the name of a file in `boards/`. */
  readonly model: string;
  /** Where the swarm's hosts answer, at most `hostsMax`; none while nobody has told the board. A learner is connected to one of them, a voter to each. */
  readonly hosts: readonly HostAddress[];
  /** Where the time can be asked (RFC 4330), if not from the hosts alone: a name or an address, port 123 if not said. */
  readonly timeServer?: string | undefined;
  readonly credentials: BoardCredentials;
}

/** With what a board proves who it is. Anything may stand here, as nobody has looked at it yet. */
export interface BoardCredentials {
  /** Public key of the swarm's root: x and y on P-256, 32 bytes each. */
  readonly root: Uint8Array;
  /** The board's identity as the root signed it. */
  readonly signed: Uint8Array;
  /** 32 bytes. */
  readonly privateKey: Uint8Array;
  /** Certificate of the authority that signs the hosts', DER: a board that has it, and an image with TLS, speaks to its hosts over TLS alone. */
  readonly authority?: Uint8Array | undefined;
}

/** A board that is alive feeds its watchdog ten times in this time, in ms. */
export const watchdogMs = 30_000;

export interface MemoryFigures {
  readonly heapUsedBytes: number;
  readonly heapPeakBytes: number;
  readonly arenaBytes: number;
  /** The deepest that the JavaScript stack ever was. Absent where the platform cannot say. */
  readonly stackPeakSlots?: number;
}
