/**
 * What it takes of a board to speak to other boards, on the chip's instruction set: one board in XS, the others of its group beside it in the parent, on a network without
 * faults. Ciphers are asked of the parent, as in `session-costs.ts`.
 */
import { fileURLToPath } from "node:url";
import { transform } from "esbuild";
import { joinCore } from "../../host-tools/bundler/bundle.ts";
import { constDeclarations } from "../../host-tools/bundler/const-declarations.ts";
import { decodeCbor, encodeCbor } from "../../host-tools/codec/cbor.ts";
import { buildXsHost } from "../../host-tools/simulator/xs-host/build.ts";
import { compileModule } from "../../host-tools/simulator/xs-host/bytecode.ts";
import type { HeapFigures } from "../../host-tools/simulator/xs-host/frames.ts";
import { XsProcess } from "../../host-tools/simulator/xs-host/process.ts";
import { buildRv32Host } from "../../host-tools/simulator/xs-host/rv32.ts";
import type { CborValue } from "../../protocols/cbor/value.ts";
import { type LanBoard, memberOf, root, swarm, VirtualLan } from "../../test/firmware/lan/virtual-lan.ts";
import { Random } from "../../test/simulation/raft/random.ts";
import type { BoardMemory } from "./measured-board.ts";
import { ampleMemory, chipMemory } from "./memory.ts";
import type { StepCost } from "./session-costs.ts";

export interface LanCosts {
  readonly minifiedBytes: number;
  /** Heap of the parts of a board that no group names, after collections. */
  readonly idleHeapBytes: number;
  /** By how much it grows with so many other members, sessions with all. */
  readonly heapBytes: ReadonlyMap<number, number>;
  /** The most that the heap ever was beyond idle, garbage included, while sessions with two came up in the chip's arena. */
  readonly peakBytes: number;
  readonly steps: readonly StepCost[];
}

const names = ["a", "b", "c", "d", "e", "f", "g"];
/** In the middle: it begins with some, and answers the others. */
const own = "d";
const messageBytes = 100;

const main = `
  import { BoardLog, CborEncoder, decodeCbor, Lan, Trust } from "core";
  const encoder = new CborEncoder(4096);
  encoder.encode(new Uint8Array(2048));
  const call = (...request) => decodeCbor(new Uint8Array(host.call(encoder.encode(request))));
  const ciphers = {
    random: (into) => into.set(call("random", into.length)),
    sha256: (bytes) => call("sha256", bytes),
    hmacSha256: (key, bytes) => call("hmac", key, bytes),
    ccmSeal: (...args) => call("seal", ...args),
    ccmOpen: (...args) => call("open", ...args) ?? undefined,
    generateKeyPair: () => { const [privateKey, publicKey] = call("generate"); return { privateKey, publicKey }; },
    sharedSecret: (...args) => call("shared", ...args) ?? undefined,
    verify: (...args) => call("verify", ...args),
    isEqual: (a, b) => call("equal", a, b),
  };
  let now = 0, lan, events, trust;
  const log = new BoardLog({ log: (level, text) => { call("log", text); } });
  const network = {
    openUdp: (port, heard) => {
      events = heard;
      return { send: (to, port, bytes) => { call("send", to, bytes); }, close: () => {} };
    },
  };
  const message = new Uint8Array(${messageBytes});
  host.turn = (turn) => {
    if (turn === undefined) return Infinity;
    const [what, nowMs, a, b] = decodeCbor(new Uint8Array(turn));
    now = nowMs;
    switch (what) {
      case "trust": {
        const [root, signed, privateKey] = call("credentials");
        const config = { swarm: "${swarm}", board: "${own}", model: "", hosts: [], credentials: { root, signed, privateKey } };
        trust = new Trust(ciphers, config, "all", log);
        break;
      }
      case "make":
        lan = new Lan({
          clock: { nowMs: () => now }, random: { fill: ciphers.random }, network, trust, log, swarm: "${swarm}",
          turns: { begin: () => true, fail: (error) => { throw error; }, end: () => {} },
        }, { onLanMessage: () => {} });
        lan.onNetworkChange(true);
        break;
      case "peers": lan.setPeers(a); lan.keepAlive(true); break;
      case "data": events.onData(a, b, 7268); break;
      case "send": lan.send(a, message); return Infinity;
      case "collect": host.collect(); return Infinity;
      case "idle": return Infinity;
    }
    if (lan !== undefined && now >= lan.dueMs) lan.run(now);
    return Infinity;
  };
`;

export async function measureLan(): Promise<LanCosts> {
  const { source, minifiedBytes } = await lanCore();
  const desktop = await buildXsHost();
  const program = {
    host: await buildRv32Host(),
    core: await compileModule(desktop, "core", source),
    main: await compileModule(desktop, "main", main),
  };
  const heapBytes = new Map<number, number>();
  let idleHeapBytes = 0;
  let peakBytes = 0;
  for (const others of [2, 6]) {
    const board = new MeasuredLan({ ...program, memory: chipMemory(), others });
    await board.begin();
    const bare = (await board.collected()).usedBytes;
    await board.turn("make");
    const idle = (await board.collected()).usedBytes;
    idleHeapBytes = idle - bare;
    await board.bringUp();
    const up = await board.collected();
    heapBytes.set(others, up.usedBytes - idle);
    if (others === 2) peakBytes = up.peakBytes - idle;
    await board.stop();
  }
  const board = new MeasuredLan({ ...program, memory: ampleMemory, others: 2 });
  await board.begin();
  await board.turn("make");
  await board.bringUp();
  const steps = [
    ...board.handshakeSteps,
    await board.cost(`one message of ${messageBytes} bytes sent`, "send", "c"),
    await board.received(`one message of ${messageBytes} bytes taken`),
  ];
  await board.stop();
  return { minifiedBytes, idleHeapBytes, heapBytes, peakBytes, steps };
}

interface MeasuredParts {
  readonly host: Awaited<ReturnType<typeof buildRv32Host>>;
  readonly core: string;
  readonly main: string;
  readonly memory: BoardMemory;
  /** Other members of its group. */
  readonly others: number;
}

/** A board in XS on a virtual network with others that are not. */
class MeasuredLan {
  readonly handshakeSteps: StepCost[] = [];
  readonly #world = new VirtualLan(new Random(1).next);
  readonly #address = "10.7.1.1";
  readonly #process: XsProcess;
  readonly #peers: readonly string[];
  readonly #others: readonly LanBoard[];
  #arrived: { from: string; bytes: Uint8Array }[] = [];

  constructor({ host, core, main, memory, others }: MeasuredParts) {
    const middle = names.indexOf(own);
    this.#peers = others === 6 ? names : [names[middle - 1]!, own, names[middle + 1]!];
    this.#world.meddle = (datagram) => {
      if (datagram.to === this.#address) this.#arrived.push(datagram);
      return undefined;
    };
    this.#world.outside = this.#address;
    this.#others = this.#peers
      .filter((name) => name !== own)
      .map((name) => this.#world.add(name, this.#peers));
    const onCall = (request: Uint8Array): Uint8Array => this.#answer(request);
    this.#process = new XsProcess({ host, core, main, ...memory, onCall });
  }

  async turn(what: string, ...args: readonly CborValue[]): Promise<HeapFigures> {
    const message = encodeCbor([what, this.#world.nowMs, ...args]);
    return (await this.#process.turn(this.#world.nowMs, message)).heap;
  }

  /** The first turn loads the board and takes nothing. */
  async begin(): Promise<void> {
    await this.#process.turn(this.#world.nowMs);
    await this.turn("trust");
  }

  async collected(): Promise<HeapFigures> {
    await this.turn("collect");
    return this.turn("idle");
  }

  async stop(): Promise<void> {
    await this.#process.stop();
  }

  /** Sessions with all others, made because all keep theirs alive. */
  async bringUp(): Promise<void> {
    for (const { lan } of this.#others) lan.keepAlive(true);
    await this.turn("peers", [...this.#peers]);
    for (let ms = 0; ms < 20_000 && !this.#others.every(({ lan }) => lan.isUp(own)); ms += 5) {
      this.#world.run(5);
      await this.#deliver();
      await this.turn("tick");
    }
    if (!this.#others.every(({ lan }) => lan.isUp(own))) throw new Error("Sessions did not come up.");
    this.#world.run(5);
    await this.#deliver();
  }

  async cost(name: string, what: string, ...args: readonly CborValue[]): Promise<StepCost> {
    const idle = await this.turn("idle");
    const heap = await this.turn(what, ...args);
    const instructions = heap.machineInstructions - idle.machineInstructions;
    return { name, instructions, allocatedBytes: heap.usedBytes - idle.usedBytes };
  }

  async received(name: string): Promise<StepCost> {
    this.#arrived = [];
    this.#others[0]!.lan.send(own, new Uint8Array(messageBytes));
    const [{ bytes, from }] = this.#arrived as [{ bytes: Uint8Array; from: string }];
    return this.cost(name, "data", bytes, from);
  }

  async #deliver(): Promise<void> {
    const arrived = this.#arrived;
    this.#arrived = [];
    for (const { from, bytes } of arrived) {
      const cost = await this.cost(stepNames[bytes[0]! & 15] ?? "", "data", bytes, from);
      const frame = bytes[5];
      const name =
        bytes[0] === 0x12 ? "message 1 answered" : bytes[0] === 0x13 ? stepNames[frame!] : undefined;
      if (name !== undefined) this.handshakeSteps.push({ ...cost, name: `handshake with a board: ${name}` });
    }
  }

  #answer(request: Uint8Array): Uint8Array {
    const [what, ...args] = decodeCbor(request) as [string, ...CborValue[]];
    return encodeCbor(this.#carryOut(what, args) ?? null);
  }

  #carryOut(what: string, args: readonly CborValue[]): CborValue | undefined {
    const { ciphers } = this.#world;
    const [a, b, c, d, e] = args.map((each) =>
      each instanceof Uint8Array ? new Uint8Array(each) : each,
    ) as [Uint8Array, Uint8Array, Uint8Array, Uint8Array, Uint8Array];
    switch (what) {
      case "random": {
        const into = new Uint8Array(a as unknown as number);
        ciphers.random(into);
        return into;
      }
      case "sha256":
        return ciphers.sha256(a);
      case "hmac":
        return ciphers.hmacSha256(a, b);
      case "seal":
        return ciphers.ccmSeal(a, b, c as unknown as 8, d, e);
      case "open":
        return ciphers.ccmOpen(a, b, c as unknown as 8, d, e);
      case "generate": {
        const { privateKey, publicKey } = ciphers.generateKeyPair();
        return [privateKey, publicKey];
      }
      case "shared":
        return ciphers.sharedSecret(a, b);
      case "verify":
        return ciphers.verify(a, b, c);
      case "equal":
        return ciphers.isEqual(a, b);
      case "credentials": {
        const { signed, privateKey } = memberOf(own);
        return [root.keys.publicKey, signed, privateKey];
      }
      case "log":
        return null;
      case "send":
        this.#world.send({ from: this.#address, to: a as unknown as string, bytes: b });
        return null;
      default:
        throw new RangeError(`The board asked for ${what}.`);
    }
  }
}

/** By the kind of the frame. */
const stepNames: Readonly<Record<number, string>> = Object.freeze({
  2: "message 2 read, message 3 made",
  3: "message 3 read, message 4 made",
  4: "message 4 read",
});

async function lanCore(): Promise<{ source: string; minifiedBytes: number }> {
  const entry = fileURLToPath(new URL("lan.ts", import.meta.url));
  const source = constDeclarations((await joinCore(entry)).code);
  const { code } = await transform(source, { minify: true, format: "esm", target: "es2022" });
  return { source, minifiedBytes: Buffer.byteLength(code) };
}
