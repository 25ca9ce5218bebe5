/**
 * A secure session on the chip's instruction set: the handshake as its initiator, by reference, with the host's identity by value; a refresh; a record of 128 bytes sealed
 * and opened; a publication opened. What
 * hardware and native code do on a chip (AES, SHA-256, the curve) is asked of the parent, as in the simulator, and its time is not counted; the calls
 * for it are.
 */
import { fileURLToPath } from "node:url";
import { transform } from "esbuild";
import { joinCore } from "../../host-tools/bundler/bundle.ts";
import { constDeclarations } from "../../host-tools/bundler/const-declarations.ts";
import { decodeCbor, encodeCbor } from "../../host-tools/codec/cbor.ts";
import { defaultScope } from "../../host-tools/keys/default-scope.ts";
import { nodeCiphers } from "../../host-tools/security/node-ciphers.ts";
import { buildXsHost } from "../../host-tools/simulator/xs-host/build.ts";
import { compileModule } from "../../host-tools/simulator/xs-host/bytecode.ts";
import { XsProcess } from "../../host-tools/simulator/xs-host/process.ts";
import { buildRv32Host } from "../../host-tools/simulator/xs-host/rv32.ts";
import type { CborValue } from "../../protocols/cbor/value.ts";
import type { CcmTagBytes } from "../../protocols/security/ciphers.ts";
import { GroupSender } from "../../protocols/security/group/group-records.ts";
import { makeSenderKey, senderKeyToWire } from "../../protocols/security/group/sender-key.ts";
import { type IdentityRole, issueIdentity } from "../../protocols/security/identity/identity.ts";
import { Roster } from "../../protocols/security/identity/roster.ts";
import type { OwnIdentity } from "../../protocols/security/session/end.ts";
import { SessionResponder } from "../../protocols/security/session/responder.ts";
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

const topics = {
  up: "covey/greenhouse/up/north-1/report",
  down: "covey/greenhouse/down/north-1/raft",
  all: "covey/greenhouse/all/raft",
} as const;

const main = `
  import { CborEncoder, decodeCbor, GroupReceiver, readStoredIdentity, Roster, senderKeyFromWire, SessionInitiator } from "core";
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
    verify: (...args) => call("verify", ...args),
    isEqual: (a, b) => call("equal", a, b),
  };
  const payload = new Uint8Array(128);
  let options, initiator, group;
  const steps = [
    () => {
      // Its buffer grows now, not while something is measured.
      encoder.encode(new Uint8Array(1024));
      const [root, signed, privateKey] = call("credentials");
      const own = { identity: readStoredIdentity(signed), signed, privateKey };
      const roster = new Roster(ciphers, root, "greenhouse", 3);
      options = { ciphers, own, roster, admits: ({ identity }) => identity.role === "host" && identity.name === "main" };
    },
    () => { initiator = new SessionInitiator(options); call("frame", initiator.start()); },
    () => { call("frame", initiator.take(call("next")).send); },
    () => { if (!initiator.take(call("next")).isUp) throw new Error("not up"); },
    () => { call("frame", initiator.refresh()); if (!initiator.take(call("next")).isUp) throw new Error("not refreshed"); },
    () => { call("sealed", initiator.seal("${topics.up}", "report", payload)); },
    () => { if (initiator.open("${topics.down}", "raft", call("record")).payload?.length !== 128) throw new Error("not opened"); },
    () => { call("record"); },
    () => { group = new GroupReceiver(ciphers, "${topics.all}"); group.hold(senderKeyFromWire(call("key"))); },
    () => { if (group.open(call("publication")).payload?.length !== 128) throw new Error("not opened"); },
    () => { call("publication"); },
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
  refresh: 4,
  seal: 5,
  open: 6,
  fetchRecord: 7,
  group: 8,
  openPublication: 9,
  fetchPublication: 10,
  idle: 11,
  collect: 12,
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
  const start = await cost("handshake: message 1 made", step.start);
  const second = await cost(
    "handshake: message 2 with the host's identity read, message 3 made",
    step.message2,
  );
  const handshakeHeapBytes = (await collected()) - before;
  const fourth = await cost("handshake: message 4 read, keys of both directions", step.message4);
  const refresh = await cost("refresh: new keys asked for and taken", step.refresh);
  // The second time counts: buffers have grown by then, and what a session keeps of a topic is there.
  for (const number of [step.seal, step.open, step.fetchRecord]) await turn(number);
  const sessionHeapBytes = (await collected()) - before;
  for (const number of [step.group, step.openPublication, step.fetchPublication]) await turn(number);
  const sealed = await cost("one record of 128 bytes sealed", step.seal);
  const opened = await alone("one record of 128 bytes opened", step.open, step.fetchRecord);
  const published = await alone(
    "one publication of 128 bytes opened",
    step.openPublication,
    step.fetchPublication,
  );
  await board.stop();
  const steps = [start, second, fourth, refresh, sealed, opened, published];
  return { minifiedBytes, steps, handshakeHeapBytes, sessionHeapBytes };

  /** Without what it takes to fetch what is opened. */
  async function alone(name: string, number: number, fetchNumber: number): Promise<StepCost> {
    const whole = await cost(name, number);
    const fetched = await cost("", fetchNumber);
    return {
      name,
      instructions: whole.instructions - fetched.instructions,
      allocatedBytes: whole.allocatedBytes - fetched.allocatedBytes,
    };
  }

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

/** The host at the other end, and the board's cipher hardware. */
class Parent {
  readonly #root = nodeCiphers.generateKeyPair();
  readonly #board = this.#issue("board", "north-1");
  readonly #responder: SessionResponder;
  readonly #sender = new GroupSender(nodeCiphers, makeSenderKey(nodeCiphers, "main", 0), topics.all);
  #next = new Uint8Array();

  constructor() {
    const roster = new Roster(nodeCiphers, this.#root.publicKey, swarm, 1);
    // As a broker has met it with its CONNECT, so that the board's reference is enough.
    roster.admit(this.#board.signed);
    const own = this.#issue("host", "main");
    this.#responder = new SessionResponder({ ciphers: nodeCiphers, own, roster, admits: () => true });
  }

  answer(request: Uint8Array): Uint8Array {
    const [what, ...args] = decodeCbor(request) as [string, ...Uint8Array[]];
    return encodeCbor(this.#carryOut(what, args) ?? null);
  }

  #issue(role: IdentityRole, name: string): OwnIdentity {
    const { privateKey, publicKey } = nodeCiphers.generateKeyPair();
    const identity = { swarm, name, role, scope: defaultScope(role, name), epoch: 0, publicKey };
    return { identity, signed: issueIdentity(nodeCiphers, this.#root.privateKey, identity), privateKey };
  }

  #carryOut(what: string, args: readonly Uint8Array[]): CborValue | undefined {
    const [a, b, c, d, e] = args.map((each) =>
      each instanceof Uint8Array ? new Uint8Array(each) : each,
    ) as [Uint8Array, Uint8Array, Uint8Array, Uint8Array, Uint8Array];
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
      case "verify":
        return nodeCiphers.verify(a, b, c);
      case "equal":
        return nodeCiphers.isEqual(a, b);
      case "credentials":
        return [this.#root.publicKey, this.#board.signed, this.#board.privateKey];
      case "frame": {
        const { send, failure } = this.#responder.take(a);
        if (failure !== undefined) throw new Error(`The host refused: ${failure}`);
        this.#next = new Uint8Array(send!);
        return null;
      }
      case "next":
        return this.#next;
      case "record":
        return this.#responder.seal(topics.down, "raft", new Uint8Array(128));
      case "key":
        return senderKeyToWire(this.#sender.key);
      case "publication":
        return this.#sender.seal(new Uint8Array(128));
      case "sealed":
        if (!("payload" in (this.#responder.open(topics.up, "report", a) ?? {})))
          throw new Error("The board's record does not open.");
        return null;
      default:
        throw new RangeError(`The board asked for ${what}.`);
    }
  }
}

const swarm = "greenhouse";
