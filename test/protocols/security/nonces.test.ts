/**
 * No (key, nonce) pair is ever used twice, whatever the power does. Everything that seals goes through one recorder, over random lives of a board and two
 * hosts: power cuts before and after every step of a handshake, a refresh, a send, a sleep and a waking, hosts that restart, frames that are lost, repeated
 * and delivered to another connection that was opened under the board's name. The recorder fails at the first pair that comes a second time, even with the same plaintext.
 */
import fc from "fast-check";
import { expect, test } from "vitest";
import { nodeCiphers } from "../../../host-tools/security/node-ciphers.ts";
import type { Ciphers } from "../../../protocols/security/ciphers.ts";
import { GroupSender } from "../../../protocols/security/group/group-records.ts";
import { makeSenderKey } from "../../../protocols/security/group/sender-key.ts";
import { SessionInitiator } from "../../../protocols/security/session/initiator.ts";
import { SessionResponder } from "../../../protocols/security/session/responder.ts";
import {
  type KeptSession,
  restoreSession,
  type SecureSession,
} from "../../../protocols/security/session/secure-session.ts";
import { TestRoot } from "../../members.ts";
import { End, hello, swarm } from "./session-pair.ts";

test("no key sees a nonce twice, whatever the power does", () => {
  let sealed = 0;
  const seenIn = { refreshes: 0, wakings: 0, cuts: 0 };
  fc.assert(
    fc.property(fc.array(action, { minLength: 80, maxLength: 160 }), (actions) => {
      const world = new World();
      world.board.connect();
      world.settle();
      for (const each of actions) world.carryOut(each);
      sealed += world.recorder.pairs.size;
      seenIn.refreshes += world.refreshes;
      seenIn.wakings += world.board.wakings;
      seenIn.cuts += world.board.cuts;
    }),
    { numRuns: 150 },
  );
  // The lives were worth watching.
  expect(sealed).toBeGreaterThan(2000);
  expect(Math.min(seenIn.refreshes, seenIn.wakings, seenIn.cuts)).toBeGreaterThan(15);
}, 120_000);

test("the recorder finds a pair that comes twice", () => {
  const { ciphers } = new Recorder();
  const key = new Uint8Array(16);
  const seal = (nonce: number) => ciphers.ccmSeal(key, new Uint8Array(13).fill(nonce), 8, key, key);
  seal(1);
  seal(2);
  expect(() => seal(1)).toThrow(/second time/);
});

test("it would find a board that forgot to make the number durable", () => {
  const world = new World();
  const { board } = world;
  board.connect();
  world.settle();
  board.sleep();
  const kept = board.flash;
  board.wake(true);
  world.settle();
  board.flash = kept;
  board.cut();
  expect(() => {
    board.wake(true);
    world.settle();
  }).toThrow(/second time/);
});

class Recorder {
  readonly pairs = new Set<string>();
  readonly ciphers: Ciphers = {
    ...nodeCiphers,
    ccmSeal: (key, nonce, ...rest) => {
      const pair = `${Buffer.from(key).toString("hex")} ${Buffer.from(nonce).toString("hex")}`;
      if (this.pairs.has(pair)) throw new Error(`A key sees a nonce a second time: ${pair}.`);
      this.pairs.add(pair);
      return nodeCiphers.ccmSeal(key, nonce, ...rest);
    },
  };
}

interface Action {
  readonly what:
    | "connect"
    | "another connects under its name"
    | "deliver"
    | "repeat"
    | "lose"
    | "board sends"
    | "host sends"
    | "publish"
    | "refresh"
    | "sleep"
    | "wake"
    | "cut"
    | "cut while making durable"
    | "host restarts"
    | "epoch"
    | "settle";
  readonly at: number;
  readonly flag: boolean;
}

const often = fc.constantFrom<Action["what"]>("deliver", "settle", "board sends", "host sends");
const sometimes = fc.constantFrom<Action["what"]>(
  "connect",
  "another connects under its name",
  "another connects under its name",
  "repeat",
  "repeat",
  "repeat",
  "refresh",
  "refresh",
  "lose",
  "publish",
  "refresh",
  "sleep",
  "wake",
  "cut",
  "cut while making durable",
  "host restarts",
  "epoch",
);
const action: fc.Arbitrary<Action> = fc.record({
  what: fc.oneof({ weight: 2, arbitrary: often }, { weight: 1, arbitrary: sometimes }),
  at: fc.nat(7),
  flag: fc.boolean(),
});

/** One board, a host, and the wire. */
class World {
  readonly recorder = new Recorder();
  readonly root = new TestRoot(swarm);
  readonly boardEnd = new End(this.root, this.root.issue("board", "north-1"), this.recorder.ciphers, "main");
  readonly host = new Host(this);
  readonly board = new Board(this);
  /** Frames under way and those that were, to be repeated. */
  readonly underWay: { frame: Uint8Array; toHost: boolean; connection: number }[] = [];
  readonly past: { frame: Uint8Array; toHost: boolean; connection: number }[] = [];
  refreshes = 0;
  #epoch = 0;

  carryOut({ what, at, flag }: Action): void {
    const { board, host } = this;
    switch (what) {
      case "connect":
        if (board.isOn) board.connect();
        else board.wake(flag);
        break;
      case "another connects under its name":
        host.accept();
        break;
      case "deliver":
        this.deliver();
        break;
      case "settle":
        if (!board.isOn && flag) board.wake(at % 2 === 0);
        this.settle();
        break;
      case "lose":
        this.underWay.shift();
        break;
      case "repeat": {
        // To the connection that it was for, or to the latest.
        const old = this.past[this.past.length - 1 - (at % Math.max(1, this.past.length))];
        if (old !== undefined)
          this.underWay.unshift(flag ? old : { ...old, connection: host.connections.length - 1 });
        break;
      }
      case "board sends":
        board.initiator?.seal("t/up", "report", hello);
        break;
      case "host sends":
        host.connections[at % Math.max(1, host.connections.length)]?.seal("t/down", "raft", hello);
        break;
      case "publish":
        host.group.seal(hello);
        break;
      case "refresh":
        board.refresh();
        break;
      case "sleep":
        board.sleep();
        break;
      case "wake":
        board.wake(flag);
        break;
      case "cut":
        board.cut();
        break;
      case "cut while making durable":
        board.isCutWhenStoring = true;
        break;
      case "host restarts":
        host.restart();
        break;
      case "epoch": {
        const statement = this.root.revoke(++this.#epoch);
        this.boardEnd.roster.take(statement);
        host.end.roster.take(statement);
        break;
      }
    }
  }

  settle(): void {
    for (let i = 0; i < 20 && this.underWay.length > 0; i++) this.deliver();
  }

  send(frame: Uint8Array | undefined, toHost: boolean, connection: number): void {
    if (frame === undefined) return;
    this.underWay.push({ frame, toHost, connection });
  }

  deliver(): void {
    const next = this.underWay.shift();
    if (next === undefined) return;
    this.past.push(next);
    const { frame, toHost, connection } = next;
    const end = toHost ? this.host.connections[connection] : this.board.initiator;
    const step = end?.take(frame);
    if (toHost && step?.isUp) {
      this.host.kept = this.host.connections[connection]!.session;
      if (frame[0] === 5) this.refreshes++;
    }
    this.send(step?.send, !toHost, connection);
  }
}

/** Keeps the last session of the board in RAM; connections that were left may still be spoken on. */
class Host {
  readonly end: End;
  readonly connections: SessionResponder[] = [];
  group: GroupSender;
  kept: SecureSession | undefined;
  readonly #world: World;

  constructor(world: World) {
    this.#world = world;
    const { root, recorder } = world;
    this.end = new End(root, root.issue("host", "main"), recorder.ciphers, "north-1");
    this.group = this.newGroup();
  }

  accept(): number {
    return this.connections.push(new SessionResponder(this.end.options, this.kept)) - 1;
  }

  restart(): void {
    this.connections.length = 0;
    this.#world.underWay.length = 0;
    this.kept = undefined;
    this.group = this.newGroup();
    this.#world.board.initiator = undefined;
  }

  newGroup(): GroupSender {
    const { ciphers } = this.#world.recorder;
    return new GroupSender(ciphers, makeSenderKey(ciphers, "main", 0), "t/all");
  }
}

/** RAM and flash of a board. Once it has slept, its flash holds a session: from then on each number is made durable before it is used. */
class Board {
  initiator: SessionInitiator | undefined;
  session: SecureSession | undefined;
  flash: KeptSession | undefined;
  isCutWhenStoring = false;
  wakings = 0;
  cuts = 0;
  isOn = true;
  #connection = 0;
  readonly #world: World;

  constructor(world: World) {
    this.#world = world;
  }

  /** A new connection: a refresh of the session that there is, or a handshake. */
  connect(): void {
    this.#connection = this.#world.host.accept();
    this.initiator = new SessionInitiator(this.#world.boardEnd.options, this.session);
    this.session = undefined;
    if (!this.refresh()) this.#world.send(this.initiator.start(), true, this.#connection);
  }

  refresh(): boolean {
    const session = this.initiator?.session;
    if (session === undefined) return false;
    const number = session.nextRefresh;
    if (this.flash !== undefined && !this.store(session.kept(number))) return true;
    const frame = this.initiator!.refresh(number);
    this.#world.send(frame, true, this.#connection);
    return frame !== undefined;
  }

  sleep(): void {
    const session = this.initiator?.session;
    if (session === undefined || !this.store(session.kept())) return;
    this.powerOff();
  }

  /** @param takesKept whether it comes up as from sleep, even where it was something else that woke it. */
  wake(takesKept: boolean): void {
    if (this.isOn) return;
    this.isOn = true;
    if (takesKept && this.flash !== undefined) {
      this.session = restoreSession(this.#world.recorder.ciphers, "north-1", this.flash);
      this.wakings++;
    } else {
      this.flash = undefined;
    }
    this.connect();
  }

  cut(): void {
    this.cuts++;
    this.powerOff();
  }

  /** False where the power went meanwhile: what is in the flash then is what was. */
  private store(kept: KeptSession): boolean {
    if (this.isCutWhenStoring) {
      this.isCutWhenStoring = false;
      this.cut();
      return false;
    }
    this.flash = kept;
    return true;
  }

  private powerOff(): void {
    this.isOn = false;
    this.initiator = undefined;
    this.session = undefined;
  }
}
