/**
 * A secure session on the chip's instruction set: the handshake as its initiator, a record of 128 bytes sealed and opened. What
 * hardware and native code do on a chip (AES, SHA-256, the curve) is asked of the parent, as in the simulator, and its time is not counted; the calls
 * for it are.
 */
import { fileURLToPath } from "node:url";
import { transform } from "esbuild";
import { joinCore } from "../../host-tools/bundler/bundle.ts";
import { constDeclarations } from "../../host-tools/bundler/const-declarations.ts";
import { decodeCbor, encodeCbor } from "../../host-tools/codec/cbor.ts";
import { nodeCiphers } from "../../host-tools/security/node-ciphers.ts";
import { buildXsHost } from "../../host-tools/simulator/xs-host/build.ts";
import { compileModule } from "../../host-tools/simulator/xs-host/bytecode.ts";
import { XsProcess } from "../../host-tools/simulator/xs-host/process.ts";
import { buildRv32Host } from "../../host-tools/simulator/xs-host/rv32.ts";
import type { CborValue } from "../../protocols/cbor/value.ts";
import type { CcmTagBytes } from "../../protocols/security/ciphers.ts";
import { type Credential, idOfKid } from "../../protocols/security/edhoc/credential.ts";
import { Responder } from "../../protocols/security/edhoc/responder.ts";
import { RecordChannel } from "../../protocols/security/record/channel.ts";
import { recordAad } from "../../protocols/security/record/context.ts";
import { ampleMemory } from "./memory.ts";

export interface SessionCosts {
  readonly minifiedBytes: number;
  readonly steps: readonly StepCost[];
  /** Heap while the handshake waits for message 4, and of the finished session, after collections. */
  readonly handshakeHeapBytes: number;
  readonly sessionHeapBytes: number;
}

/** Nothing is ever collected meanwhile. */
export interface StepCost {
  readonly name: string;
  readonly instructions: number;
  /** Heap, nearly all of it garbage afterwards. */
  readonly allocatedBytes: number;
}

const main = `
  import { CborEncoder, decodeCbor, Initiator, recordAad, RecordChannel } from "core";
  const encoder = new CborEncoder(4096);
  const call = (...request) => decodeCbor(new Uint8Array(host.call(encoder.encode(request))));
  const ciphers = {
    random: (into) => into.set(call("random", into.length)),
    sha256: (bytes) => call("sha256", bytes),
    hmacSha256: (key, bytes) => call("hmac", key, bytes),
    ccmSeal: (...args) => call("seal", ...args),
    ccmOpen: (...args) => call("open", ...args) ?? undefined,
    generateKeyPair: () => { const [privateKey, publicKey] = call("generate"); return { privateKey, publicKey }; },
    sharedSecret: (...args) => call("shared", ...args) ?? undefined,
    isEqual: (a, b) => call("equal", a, b),
  };
  const context = { epoch: 1, sender: "north-1.5f3a90c2", receiver: "main.00000001", topic: "covey/greenhouse/up/north-1/report", type: "report" };
  const aad = recordAad(context);
  const payload = new Uint8Array(128);
  let initiator, channel;
  const steps = [
    () => {
      const [ownId, ownBytes, ownKey, privateKey, peerId, peerBytes, peerKey] = call("parties");
      const peer = { id: peerId, bytes: peerBytes, publicKey: peerKey };
      const credential = { id: ownId, bytes: ownBytes, publicKey: ownKey };
      host.parties = { ciphers, credential, privateKey, find: () => peer, connectionId: Uint8Array.of(1) };
    },
    () => { initiator = new Initiator(host.parties); call("message1", initiator.message1); },
    () => call("message3", initiator.takeMessage2(call("message2"))),
    () => { channel = new RecordChannel(ciphers, initiator.takeMessage4(call("message4")), true); initiator = undefined; },
    () => call("sealed", channel.seal(aad, payload)),
    () => { if (channel.open(aad, call("record")).payload?.length !== 128) throw new Error("not opened"); },
    () => call("record"),
    () => 0,
    () => { host.collect(); },
  ];
  host.turn = (message) => {
    if (message !== undefined) steps[new Uint8Array(message)[0]]();
    return Infinity;
  };
`;

const step = {
  prepare: 0,
  start: 1,
  message2: 2,
  message4: 3,
  seal: 4,
  open: 5,
  fetch: 6,
  idle: 7,
  collect: 8,
} as const;

export async function measureSession(): Promise<SessionCosts> {
  const { source, minifiedBytes } = await sessionCore();
  const [desktop, host] = [await buildXsHost(), await buildRv32Host()];
  const parent = new Parent();
  const board = new XsProcess({
    host,
    core: await compileModule(desktop, "core", source),
    main: await compileModule(desktop, "main", main),
    ...ampleMemory,
    onCall: (request) => parent.answer(request),
  });
  const turn = async (number: number) => (await board.turn(1, Uint8Array.of(number))).heap;
  const collected = async () => {
    await turn(step.collect);
    return (await turn(step.idle)).usedBytes;
  };
  await board.turn(0);
  await turn(step.prepare);
  const before = await collected();
  await turn(step.idle);
  const first = await cost("handshake: message 1 made", step.start);
  const second = await cost("handshake: message 2 read, message 3 made", step.message2);
  const handshakeHeapBytes = (await collected()) - before;
  const third = await cost("handshake: message 4 read, keys of both directions", step.message4);
  const sessionHeapBytes = (await collected()) - before;
  // The second time counts: buffers have grown by then.
  for (const number of [step.seal, step.open, step.fetch]) await turn(number);
  const sealed = await cost("one record of 128 bytes sealed", step.seal);
  const opened = await cost("one record of 128 bytes opened", step.open);
  const fetched = await cost("", step.fetch);
  await board.stop();
  const openedAlone = {
    ...opened,
    instructions: opened.instructions - fetched.instructions,
    allocatedBytes: opened.allocatedBytes - fetched.allocatedBytes,
  };
  const steps = [first, second, third, sealed, openedAlone];
  return { minifiedBytes, steps, handshakeHeapBytes, sessionHeapBytes };

  async function cost(name: string, number: number): Promise<StepCost> {
    const idle = await turn(step.idle);
    const heap = await turn(number);
    const instructions = heap.machineInstructions - idle.machineInstructions;
    return { name, instructions, allocatedBytes: heap.usedBytes - idle.usedBytes };
  }
}

async function sessionCore(): Promise<{ source: string; minifiedBytes: number }> {
  const entry = fileURLToPath(new URL("secure-session.ts", import.meta.url));
  const source = constDeclarations((await joinCore(entry)).code);
  const { code } = await transform(source, { minify: true, format: "esm", target: "es2022" });
  return { source, minifiedBytes: Buffer.byteLength(code) };
}

/** The other side of the handshake, and the board's cipher hardware. */
class Parent {
  readonly #own = identity(1);
  readonly #board = identity(2);
  readonly #responder = new Responder({
    ciphers: nodeCiphers,
    ...this.#own,
    find: () => this.#board.credential,
    connectionId: Uint8Array.of(2),
  });
  #message2 = new Uint8Array();
  #message4 = new Uint8Array();
  #channel: RecordChannel | undefined;

  answer(request: Uint8Array): Uint8Array {
    const [what, ...args] = decodeCbor(request) as [string, ...Uint8Array[]];
    return encodeCbor(this.#carryOut(what, args) ?? null);
  }

  #carryOut(what: string, args: readonly Uint8Array[]): CborValue | undefined {
    const [a, b, c, d, e] = args as [Uint8Array, Uint8Array, Uint8Array, Uint8Array, Uint8Array];
    switch (what) {
      case "random": {
        const into = new Uint8Array(a as unknown as number);
        nodeCiphers.random(into);
        return into;
      }
      case "sha256":
        return nodeCiphers.sha256(a);
      case "hmac":
        return nodeCiphers.hmacSha256(a, b);
      case "seal":
        return nodeCiphers.ccmSeal(a, b, c as unknown as CcmTagBytes, d, e);
      case "open":
        return nodeCiphers.ccmOpen(a, b, c as unknown as CcmTagBytes, d, e);
      case "generate": {
        const { privateKey, publicKey } = nodeCiphers.generateKeyPair();
        return [privateKey, publicKey];
      }
      case "shared":
        return nodeCiphers.sharedSecret(a, b);
      case "equal":
        return nodeCiphers.isEqual(a, b);
      case "parties": {
        const [board, own] = [this.#board, this.#own.credential];
        const { id, bytes, publicKey } = board.credential;
        return [id, bytes, publicKey, board.privateKey, own.id, own.bytes, own.publicKey];
      }
      case "message1":
        this.#message2 = new Uint8Array(this.#responder.takeMessage1(a));
        return null;
      case "message2":
        return this.#message2;
      case "message3": {
        const { message4, session } = this.#responder.takeMessage3(a);
        this.#message4 = new Uint8Array(message4);
        this.#channel = new RecordChannel(nodeCiphers, session, false);
        return null;
      }
      case "message4":
        return this.#message4;
      case "record":
        return this.#channel!.seal(aad, new Uint8Array(128));
      case "sealed":
        if (!("payload" in this.#channel!.open(aad, a))) throw new Error("The board's record does not open.");
        return null;
      default:
        throw new RangeError(`The board asked for ${what}.`);
    }
  }
}

const context = {
  epoch: 1,
  sender: "north-1.5f3a90c2",
  receiver: "main.00000001",
  topic: "covey/greenhouse/up/north-1/report",
  type: "report",
};
const aad = recordAad(context);

function identity(kid: number): { credential: Credential; privateKey: Uint8Array } {
  const { privateKey, publicKey } = nodeCiphers.generateKeyPair();
  const credential = { id: idOfKid(Uint8Array.of(kid)), bytes: encodeCbor([kid, publicKey]), publicKey };
  return { credential, privateKey };
}
