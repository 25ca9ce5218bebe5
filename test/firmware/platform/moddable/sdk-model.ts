/**
 * A model of the SDK's modules that the adapter calls (SDK 8.2.3), driven by the test: what happens outside the board
 * happens when the test says so. `on-lin/prove.ts` runs the adapter on the real
 * SDK.
 */
export { crypt, EC, ECPoint, Mont } from "./sdk-crypt-model.ts";

export const world = {
  /** What the SDK's tick counter stands at. */
  ticks: 0,
  /** What the chip's clock was set to, Unix time; undefined: never. */
  clockSeconds: undefined as number | undefined,
  timers: new Map<number, { dueTicks: number; callback: () => void }>(),
  sockets: [] as TCP[],
  datagrams: [] as UDP[],
  /** Writes to the flash that NVS made. */
  commits: 0,
  idf: [] as string[],
  updates: [] as string[],
  stations: [] as WiFi[],
  pins: [] as string[],
  addresses: new Map<string, string>(),
  config: {} as Record<string, unknown>,
  flash: new Uint8Array(8192).fill(0xff),
  /** Data partitions that the table has; each of them is `flash`. */
  partitions: ["log", "series"],
  /** Lets time pass and fires what is due, in order. */
  pass(ms: number): void {
    const until = world.ticks + ms;
    for (;;) {
      const next = [...world.timers].sort(([, a], [, b]) => a.dueTicks - b.dueTicks)[0];
      if (next === undefined || next[1].dueTicks > until) break;
      world.ticks = next[1].dueTicks;
      world.timers.delete(next[0]);
      next[1].callback();
    }
    world.ticks = until;
  },
};

export const config: Readonly<Record<string, unknown>> = new Proxy(world.config, {});

export const Time = {
  get ticks(): number {
    return world.ticks;
  },
  set(seconds: number): void {
    world.clockSeconds = seconds;
  },
};

let lastTimer = 0;

export const Timer = {
  set(callback: () => void, delayMs: number): number {
    world.timers.set(++lastTimer, { dueTicks: world.ticks + delayMs, callback });
    return lastTimer;
  },
  clear(id: number): void {
    if (!world.timers.delete(id)) throw new Error("invalid timer");
  },
};

export const Net = {
  resolve(host: string, callback: (host: string, address: string | undefined) => void): void {
    Timer.set(() => callback(host, world.addresses.get(host)), 0);
  },
};

interface TcpOptions {
  address: string;
  port: number;
  onReadable(byteCount: number): void;
  onWritable(byteCount: number): void;
  onError(): void;
}

export class TCP {
  readonly options: TcpOptions;
  readonly sent: number[] = [];
  roomBytes = 0;
  isClosed = false;
  #received: number[] = [];

  constructor(options: TcpOptions) {
    if (!/^[\d.]+$/.test(options.address)) throw new Error("invalid address");
    this.options = options;
    world.sockets.push(this);
  }

  write(bytes: Uint8Array): number {
    if (bytes.length > this.roomBytes) throw new Error("would block");
    this.sent.push(...bytes);
    this.roomBytes -= bytes.length;
    return this.roomBytes;
  }

  read(byteCount: number): ArrayBuffer {
    if (byteCount > this.#received.length) throw new Error("invalid");
    return new Uint8Array(this.#received.splice(0, byteCount)).buffer;
  }

  close(): void {
    this.isClosed = true;
  }

  makeRoom(bytes: number): void {
    this.roomBytes = bytes;
    this.options.onWritable(bytes);
  }

  receive(byteCount: number): void {
    this.receiveBytes([...new Uint8Array(byteCount).map((_, index) => index)]);
  }

  receiveBytes(bytes: readonly number[]): void {
    this.#received.push(...bytes);
    this.options.onReadable(bytes.length);
  }
}

export class WiFi {
  connection = 200;
  attempts = 0;
  refuses = false;
  readonly #onChanged: (property: string) => void;

  constructor(options: { onChanged(property: string): void }) {
    this.#onChanged = options.onChanged;
    world.stations.push(this);
  }

  /** Networks that it was to connect to. */
  readonly asked: string[] = [];

  connect({ SSID }: { SSID: string }): void {
    this.attempts += 1;
    this.asked.push(SSID);
    if (this.refuses) throw new Error("connect failed");
    this.connection = 300;
  }

  disconnect(): void {
    this.connection = 200;
  }

  become(connection: number): void {
    this.connection = connection;
    this.#onChanged("connection");
  }
}

export class Digital {
  static readonly Output = 8;
  readonly #pin: number;

  constructor(options: { pin: number; mode: number; initialValue: number }) {
    if (options.mode !== Digital.Output) throw new RangeError("invalid mode");
    this.#pin = options.pin;
    world.pins.push(`${options.pin} starts at ${options.initialValue}`);
  }

  write(value: number): void {
    world.pins.push(`${this.#pin} is ${value}`);
  }

  close(): void {
    world.pins.push(`${this.#pin} is free`);
  }
}

export class PWM {
  readonly #pin: number;
  readonly #max: number;

  constructor(options: { pin: number; hz: number; resolution: number }) {
    this.#pin = options.pin;
    this.#max = 2 ** options.resolution - 1;
  }

  write(value: number): void {
    if (!Number.isInteger(value) || value < 0 || value > this.#max) throw new RangeError("invalid value");
    world.pins.push(`${this.#pin} is ${value} of ${this.#max}`);
  }

  close(): void {
    world.pins.push(`${this.#pin} is free`);
  }
}

export class UDP {
  readonly options: { port: number; onReadable(count: number): void };
  readonly sent: string[] = [];
  readonly groups: string[] = [];
  refuses = false;
  isClosed = false;
  #packets: ArrayBuffer[] = [];

  constructor(options: { port: number; onReadable(count: number): void }) {
    this.options = options;
    world.datagrams.push(this);
  }

  write(bytes: Uint8Array, address: string, port: number): void {
    if (this.refuses) throw new Error("UDP send failed");
    this.sent.push(`${bytes.join(" ")} to ${address}:${port}`);
  }

  add(group: string): void {
    if (!/^2[23]\d\./.test(group)) throw new Error("invalid IP address");
    this.groups.push(group);
  }

  read(): ArrayBuffer | undefined {
    return this.#packets.shift();
  }

  close(): void {
    this.isClosed = true;
  }

  receive(...packets: number[][]): void {
    for (const bytes of packets) {
      const packet = new Uint8Array(bytes).buffer;
      this.#packets.push(Object.assign(packet, { address: "192.0.2.9", port: 123 }));
    }
    this.options.onReadable(packets.length);
  }
}

export const storage = {
  open({ path, mode, format }: { path: string; mode: string; format: string }) {
    if (path !== "covey" || mode !== "r+" || format !== "buffer") throw new Error("invalid");
    const values = new Map<string, ArrayBuffer>();
    return {
      read: (key: string) => values.get(key),
      write: (key: string, value: Uint8Array) => {
        world.commits += 1;
        values.set(key, value.slice().buffer as ArrayBuffer);
      },
      delete: (key: string) => values.delete(key),
    };
  },
};

/** The C functions of `chip-functions.c` that have to do with updates. */
const natives: Readonly<Record<string, (into: Uint8Array) => unknown>> = {
  covey_update_select: () => {
    if (world.flash[0] !== 0xe9) throw new Error("no image to start");
    world.updates.push("selected");
  },
  covey_update_on_trial: () => world.updates.includes("selected"),
  covey_update_running: (into) => into.fill(7),
};
Object.assign(globalThis, { native: (name: string) => natives[name] });

/** ESP-IDF's functions. */
export class FFI {
  esp_deep_sleep(microseconds: unknown): void {
    if (typeof microseconds !== "bigint") throw new TypeError("not a BigInt");
    world.idf.push(`deep sleep ${microseconds}`);
  }

  esp_ota_mark_app_valid_cancel_rollback(): number {
    world.idf.push("valid");
    return 0;
  }
}

export const flash = {
  open({ path, mode }: { path: string; mode: string }) {
    const isKnown = (world.partitions.includes(path) && mode === "r+") || path === "nextota";
    if (!isKnown) throw new Error("can't find partition");
    return {
      close: () => undefined,
      status: () => ({ size: world.flash.length, blockLength: 4096, blocks: world.flash.length / 4096 }),
      read: (byteLength: number, byteOffset: number) =>
        world.flash.slice(byteOffset, byteOffset + byteLength).buffer,
      write: (bytes: Uint8Array, byteOffset: number) => world.flash.set(bytes, byteOffset),
      eraseBlock: (block: number) => world.flash.fill(0xff, block * 4096, (block + 1) * 4096),
    };
  },
};
