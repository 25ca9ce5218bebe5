/**
 * What the adapter calls of the Moddable SDK, and no more. Read from the sources of SDK version 8.2.3; each module names
 * its file there. (ECMA-419 is the standard behind the `embedded:` modules.)
 */

/** xs/platforms: writes a line to the debugger or the serial console. */
declare function trace(text: string): void;

/** xs/sources/xsGlobal.c: names a C function of the program; the compiler binds it. */
declare function native(name: string): (this: unknown, ...parameters: readonly unknown[]) => unknown;

/** Made by mcconfig: `config` of the manifest, with the `key=value` arguments of its command line. */
declare module "mc/config" {
  const config: Readonly<Record<string, unknown>>;
  export default config;
}

/** modules/base/timer/timer.js */
declare module "timer" {
  /** Opaque. A one-shot timer is gone once its callback has been called. */
  export type TimerId = { readonly timer: unique symbol };
  const Timer: {
    set(callback: () => void, delayMs: number): TimerId;
    repeat(callback: () => void, everyMs: number): TimerId;
    clear(id: TimerId): void;
  };
  export default Timer;
}

/** modules/base/time/time.js */
declare module "time" {
  const Time: {
    /** Milliseconds; on ESP32 a signed 32-bit count since power-on that wraps, on lin the wall clock. */
    readonly ticks: number;
    /** Sets the chip's clock, in Unix seconds; without effect on lin. `ticks` go on. */
    set(seconds: number): void;
  };
  export default Time;
}

/** modules/network/net/net.js */
declare module "net" {
  const Net: {
    /** Calls back on a later turn, with undefined when the name can't be resolved. */
    resolve(host: string, callback: (host: string, address: string | undefined) => void): void;
  };
  export default Net;
}

/** modules/io/socket/lwip/tcp.js and modules/io/socket/lin/tcp.js */
declare module "embedded:io/socket/tcp" {
  export interface TcpOptions {
    /** Dotted IPv4, or IPv6 on ESP32; a host name throws. */
    readonly address: string;
    readonly port: number;
    /** False lets small writes wait for each other. */
    readonly nodelay?: boolean;
    onReadable?(byteCount: number): void;
    /** First call: the connection is established. */
    onWritable?(byteCount: number): void;
    /** Comes once, after everything received has been read. */
    onError?(): void;
  }
  export default class TCP {
    constructor(options: TcpOptions);
    /** Throws when fewer than `byteCount` bytes are there. */
    read(byteCount: number): ArrayBuffer;
    /** The bytes that may be written next; undefined after an error. Throws when there is no room for all of `bytes`. */
    write(bytes: Uint8Array): number | undefined;
    close(): void;
  }
}

/** modules/io/wifi/esp32/wifi-esp32.js */
declare module "embedded:network/interface/wifi" {
  export default class WiFi {
    /** `onChanged` comes with "connection" or "address", on a later turn. */
    constructor(options: { onChanged?(property: string): void });
    /** 200 disconnected, 300 connecting, 400 associated, 500 associated and with addresses. */
    readonly connection: number;
    /** Throws when it is connecting already. The outcome comes through `onChanged`. */
    connect(options: { readonly SSID: string; readonly password?: string }): void;
    /** Calls nothing back. */
    disconnect(): void;
    /** Throws when it is scanning already, or connecting. */
    scan(options: {
      onFound(network: { readonly SSID: string; readonly RSSI: number; readonly security: string }): void;
      onComplete(): void;
    }): void;
    close(): void;
  }
}

/** modules/io/digital/digital.js */
declare module "embedded:io/digital" {
  export default class Digital {
    static readonly Output: number;
    static readonly InputPullUp: number;
    static readonly InputPullDown: number;
    /** Throws when the pin does not exist, is input-only or in use. The pin has `initialValue` before it becomes an output. */
    constructor(options: { readonly pin: number; readonly mode: number; readonly initialValue?: number });
    write(value: number): void;
    /** 0 or 1. */
    read(): number;
    close(): void;
  }
}

/** modules/io/pwm/esp32/_pwm.js */
declare module "embedded:io/pwm" {
  export default class PWM {
    /** Starts at duty 0. Throws when the pin or every channel is in use. 1,024 Hz and 10 bits unless told. */
    constructor(options: { readonly pin: number; readonly hz?: number; readonly resolution?: number });
    /** 0 to 2^resolution - 1, which is always on. */
    write(value: number): void;
    /** Stops at a low level. */
    close(): void;
  }
}

/** modules/io/flash/esp32/flash-esp32.js */
declare module "embedded:storage/flash" {
  export interface FlashPartition {
    /** Bytes of the partition and of one erase block. */
    status(): { readonly size: number; readonly blockLength: number };
    read(byteLength: number, byteOffset: number): ArrayBuffer;
    write(bytes: Uint8Array, byteOffset: number): void;
    eraseBlock(block: number): void;
    close(): void;
  }
  const flash: {
    /** Opens a data partition by its label, or the update slot that does not run as "nextota"; throws when there is none. */
    open(options: { readonly path: string; readonly mode?: "r" | "r+" }): FlashPartition;
  };
  export default flash;
}

/** modules/io/storage/esp32/storage-esp32.js: a namespace of NVS. A write is committed when it returns. */
declare module "embedded:storage/key-value" {
  export interface KeyValueDomain {
    /** undefined when there is none. */
    read(key: string): ArrayBuffer | undefined;
    write(key: string, value: Uint8Array): void;
    /** Nothing happens when there is none. */
    delete(key: string): void;
    close(): void;
  }
  const storage: {
    open(options: {
      readonly path: string;
      readonly mode: "r" | "r+";
      readonly format: "buffer";
    }): KeyValueDomain;
  };
  export default storage;
}

/** modules/io/socket/lwip/udp.js and modules/io/socket/lin/udp.js */
declare module "embedded:io/socket/udp" {
  export interface Datagram extends ArrayBuffer {
    readonly address: string;
    readonly port: number;
  }
  export default class UDP {
    /** Port 0 is any free one. `count` datagrams can be read. Throws when the port is taken. */
    constructor(options: { readonly port: number; onReadable?(count: number): void });
    read(): Datagram | undefined;
    /** Takes an address, no name. Throws when the network does not take it. */
    write(bytes: Uint8Array, address: string, port: number): void;
    /** Joins a multicast group, an address, on every interface that is up. Not on lin. */
    add?(group: string): void;
    close(): void;
  }
}

/** modules/crypt/digest/crypt.js */
declare module "crypt" {
  export interface Digest {
    /** Starts anew, takes the bytes and gives their digest. */
    process(...bytes: readonly Uint8Array[]): ArrayBuffer;
  }
  export interface BlockCipher {
    readonly blockSize: number;
  }
  export interface Mode {
    /** Goes on where the last call ended. `into` may be `data`; CBC does whole blocks only. */
    encrypt(data: ArrayBuffer, into: ArrayBuffer): ArrayBuffer;
  }
  const crypt: {
    /** Throws for a name that it does not know. */
    readonly Digest: new (
      type: "SHA256",
    ) => Digest;
    /** Throws for a key that is not of 16, 24 or 32 bytes. */
    readonly BlockCipher: new (
      type: "AES",
      key: ArrayBuffer,
    ) => BlockCipher;
    /** `iv` is copied; the whole block is the counter of CTR. */
    readonly Mode: new (
      type: "CBC" | "CTR",
      cipher: BlockCipher,
      iv: ArrayBuffer,
    ) => Mode;
  };
  export default crypt;
}

/** modules/crypt/arith/ecp.js */
declare module "ecp" {
  export default class ECPoint {
    readonly x: bigint;
    readonly y: bigint;
    constructor(x: bigint, y: bigint);
    /** The point at infinity; its coordinates are then of no meaning. */
    isZero(): boolean;
  }
}

/** modules/crypt/arith/ec.js. No point is checked to be on the curve, no coordinate to be below m. */
declare module "ec" {
  import type ECPoint from "ecp";
  export default class EC {
    /** y^2 = x^3 + ax + b modulo m. */
    constructor(a: bigint, b: bigint, m: bigint);
    /** In a time that depends on k. */
    mul(point: ECPoint, k: bigint): ECPoint;
    /** The sum of two products. */
    mul2(point1: ECPoint, k1: bigint, point2: ECPoint, k2: bigint): ECPoint;
  }
}

/** modules/crypt/arith/mont.js */
declare module "mont" {
  export default class Mont {
    /** Modulo m, which is odd. */
    constructor(options: { readonly m: bigint });
    exp(base: bigint, exponent: bigint): bigint;
  }
}

/** xs/sources/xsBigInt.c: big-endian. Throws for an empty buffer. */
interface BigIntConstructor {
  fromArrayBuffer(bytes: ArrayBuffer): bigint;
}

/** xs/sources/xsDataView.c: big-endian, with zeros before it up to so many bytes. */
interface ArrayBufferConstructor {
  fromBigInt(number: bigint, byteLengthMin: number): ArrayBuffer;
}

/** tools/ffi.js: made by mcconfig from `ffi` of esp32.json. */
declare module "mc/ffi" {
  export default class FFI {
    /** esp_sleep.h; does not return. */
    esp_deep_sleep(microseconds: bigint): void;
    /** esp_ota_ops.h; 0 for done. */
    esp_ota_mark_app_valid_cancel_rollback(): number;
  }
}

/** Made by host-tools/boards/sensor-module.ts from the board's file. */
declare module "board-sensors" {
  /** ECMA-419's Sensor Class Pattern, and `clock` for drivers that wait. */
  export interface SensorDriver {
    /** undefined while there is nothing to give. */
    sample(): unknown;
    close(): void;
  }
  export interface BoardSensor {
    readonly name: string;
    /** Which sensors of the catalogue it reads, where in its sample, and times what. */
    readonly readings: readonly {
      readonly sensor: string;
      readonly path: readonly string[];
      readonly scale: number;
    }[];
    /** Throws when it does not answer. */
    open(options: { readonly clock: unknown; onError(error: unknown): void }): SensorDriver;
  }
  const sensors: readonly BoardSensor[];
  export default sensors;
}

/** `ssl/session` (modules/crypt/ssl/session_419.js) in an image with TLS, else undefined: host-tools/boards/board-manifest.ts. */
declare module "board-tls" {
  export interface TlsTransport {
    readable: number;
    writable: number;
    /** Fills `into`, of which there are at least so many bytes. */
    read(into: Uint8Array): void;
    write(record: Uint8Array | ArrayBuffer): number;
  }
  export interface TlsSession {
    /** What it does next; -1 when it waits for a record. */
    readonly handshakeProcess: number;
    /** Sent or received; 0 is close_notify (RFC 5246, 7.2). */
    readonly alert: { readonly level: number; readonly description: number } | undefined;
    initiateHandshake(): void;
    /** One step; true when it is done, or ended by an alert. Throws at what it does not accept. */
    handshake(transport: TlsTransport): boolean;
    /** undefined when there is no whole record; null when the other side closed. */
    read(transport: TlsTransport): Uint8Array | undefined | null;
    /** Sends one record, of at most 16,384 bytes. */
    write(transport: TlsTransport, bytes: Uint8Array): number;
  }
  export type TlsSessionClass = new (options: {
    readonly serverName: string;
    readonly protocolVersion: number;
    readonly cache: boolean;
    /** An authority, as DER. */
    readonly certificate?: Uint8Array;
  }) => TlsSession;
  const Session: TlsSessionClass | undefined;
  export default Session;
}

/** Made by host-tools/boards/near-module.ts; `GATTServer` is modules/io/ble/server/esp32/bleserver.js, in an image with Bluetooth. */
declare module "board-near" {
  export interface PeripheralConnection {
    /** Bytes of the longest notification. */
    readonly maximumWrite: number;
    /** `characteristic`: what its callbacks have as `this`. Throws when nobody has subscribed. */
    notify(characteristic: object, value: Uint8Array): void;
    close(): void;
  }
  export interface PeripheralCharacteristic {
    readonly uuid: string;
    readonly properties: number;
    onRead?(this: object): Uint8Array;
    onWrite?(this: object, bytes: ArrayBuffer): void;
    onSubscribe?(this: object): void;
    onUnsubscribe?(this: object): void;
  }
  export interface GattPeripheral {
    /** By the numbers of advertising data types; in the order of those. Goes on after each connection. */
    startAdvertising(data: object, scanResponse: object): void;
    stopAdvertising(): void;
  }
  export type GattPeripheralClass = new (options: {
    readonly mtu: number;
    readonly services: readonly {
      readonly uuid: string;
      readonly characteristics: readonly PeripheralCharacteristic[];
    }[];
    onReady(): void;
    onConnect(connection: PeripheralConnection): void;
    onDisconnect(): void;
  }) => GattPeripheral;
  const near: {
    readonly button: { readonly pin: number; readonly pressed: number } | undefined;
    readonly light: { readonly pin: number } | undefined;
    readonly GATTServer: GattPeripheralClass | undefined;
  };
  export default near;
}
