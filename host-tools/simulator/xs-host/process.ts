/** One board's process: the XS host running a main module over a preloaded core, driven in turns. */
import { type ChildProcessByStdio, spawn } from "node:child_process";
import { EventEmitter } from "node:events";
import type { Readable, Writable } from "node:stream";
import type { HostCommand, XsHost } from "./build.ts";
import { type BoardExit, readExit } from "./exit-reason.ts";
import {
  CALL_BYTES_MAX,
  type Done,
  decodeDone,
  encodeRefuse,
  encodeReturn,
  encodeTurn,
  FrameReader,
  FrameType,
  MESSAGE_BYTES_MAX,
  ProtocolViolation,
} from "./frames.ts";

/** RAM of an ESP32-C3 for XS, as the SDK creates it: chunks, slots and stack. */
export const CHIP_ARENA_BYTES = 94_208;

/** Turns that may wait behind the one that runs. */
export const WAITING_TURNS_MAX = 64;

/** What is kept of the process's stderr. */
const SAID_CHARACTERS_MAX = 4096;

/** `creation` of an SDK manifest: of chunks and slots, what there is at first, and what is added when that is full. */
export interface HeapGrowth {
  readonly chunkBytes: number;
  readonly chunkStepBytes: number;
  readonly slots: number;
  readonly slotsStep: number;
}

export interface XsProcessOptions {
  readonly host: XsHost;
  /** Bytecode files, from compileModule. `core` is preloaded; `main` may import from "core". */
  readonly core: string;
  readonly main: string;
  /** In 16-byte slots' terms: doubled for a 64-bit host, whose slots are twice the size. */
  readonly arenaBytes?: number;
  readonly stackSlots?: number;
  /** How the heap begins and grows; left out, as the SDK's defaults for an ESP32-C3 have it. */
  readonly growth?: HeapGrowth;
  /** For the board's Math.random; the same seed gives the same numbers. */
  readonly seed?: number;
  /**
   * Answers `host.call` while the board waits. What it throws, host.call throws on the board, as an Error with the
   * same message (XS keeps 127 bytes of it). The request is valid during the call only.
   */
  readonly onCall: (request: Uint8Array) => Uint8Array;
}

/** The board's process is no more, or never came to be. */
export class BoardGone extends Error {
  override readonly name = "BoardGone";
  readonly exit: BoardExit;

  constructor(exit: BoardExit) {
    super(
      exit.message
        ? `the board is gone (${exit.reason}): ${exit.message}`
        : `the board is gone (${exit.reason})`,
    );
    this.exit = exit;
  }
}

/** More turns are asked for than may wait. */
export class TooManyTurns extends Error {
  override readonly name = "TooManyTurns";

  constructor() {
    super(`${WAITING_TURNS_MAX} turns wait for this board already: await a turn before asking for the next`);
  }
}

interface Turn {
  readonly nowMs: number;
  readonly message: Uint8Array | undefined;
  readonly resolve: (done: Done) => void;
  readonly reject: (reason: Error) => void;
}

/** Emits `exit` once, with a BoardExit. */
export class XsProcess extends EventEmitter<{ exit: [BoardExit] }> {
  readonly #child: ChildProcessByStdio<Writable, Readable, Readable>;
  readonly #onCall: (request: Uint8Array) => Uint8Array;
  readonly #waiting: Turn[] = [];
  #running: Turn | undefined;
  #exit: BoardExit | undefined;
  #stopping = false;
  #said = "";

  constructor(options: XsProcessOptions) {
    super();
    this.#onCall = options.onCall;
    const arenaBytes = (options.arenaBytes ?? CHIP_ARENA_BYTES) * (options.host.slotBytes / 16);
    const words = ["run", "--arena", `${arenaBytes}`];
    if (options.stackSlots !== undefined) words.push("--stack", `${options.stackSlots}`);
    if (options.seed !== undefined) words.push("--seed", `${options.seed >>> 0}`);
    if (options.growth !== undefined) words.push(...growthWords(options.growth));
    words.push(options.core, options.main);
    const start = commandOf(options.host, words);
    this.#child = spawn(start.command, start.words, {
      cwd: start.folder,
      stdio: ["pipe", "pipe", "pipe"],
      // A group of its own: Ctrl-C at the terminal is for the parent, which then ends its boards in order.
      detached: true,
    });

    const reader = new FrameReader((type, body) => this.#onFrame(type, body));
    this.#child.stdout.on("data", (chunk: Buffer) => {
      try {
        reader.push(chunk);
      } catch (violation) {
        this.#endBroken(violation as Error);
      }
    });
    this.#child.stderr.on("data", (chunk: Buffer) => {
      this.#said = (this.#said + chunk.toString()).slice(-SAID_CHARACTERS_MAX);
    });
    this.#child.stdin.on("error", () => {}); // EPIPE: the exit that follows says why
    this.#child.on("error", (error) => this.#onExit(readExit(1, null, error.message)));
    this.#child.on("close", (code, signal) => this.#onExit(readExit(code, signal, this.#said)));
  }

  get pid(): number | undefined {
    return this.#child.pid;
  }

  /** Why the process ended; undefined while it lives. */
  get exit(): BoardExit | undefined {
    return this.#exit;
  }

  /**
   * Runs one turn: the board gets the message, or learns that its deadline passed. Turns run one after another, in
   * the order asked for. The first runs main's top level, then host.turn() without a message: give none.
   *
   * @throws BoardGone, TooManyTurns, RangeError when the message is longer than MESSAGE_BYTES_MAX
   */
  turn(nowMs: number, message?: Uint8Array): Promise<Done> {
    return new Promise((resolve, reject) => {
      if (this.#exit) return reject(new BoardGone(this.#exit));
      if (this.#stopping) return reject(new BoardGone(readExit(0, null, "")));
      if (this.#waiting.length >= WAITING_TURNS_MAX) return reject(new TooManyTurns());
      if (message && message.length > MESSAGE_BYTES_MAX) {
        return reject(
          new RangeError(`a message of ${message.length} bytes: at most ${MESSAGE_BYTES_MAX} fit a turn`),
        );
      }
      this.#waiting.push({ nowMs, message, resolve, reject });
      this.#startNext();
    });
  }

  /** Lets the turns asked for so far finish, then ends the process. */
  async stop(): Promise<BoardExit> {
    return this.#end(() => {
      this.#stopping = true;
      this.#startNext();
    });
  }

  /** Ends the process at once, as a power cut does. */
  async kill(): Promise<BoardExit> {
    return this.#end(() => this.#child.kill("SIGKILL"));
  }

  #end(how: () => void): Promise<BoardExit> {
    if (this.#exit) return Promise.resolve(this.#exit);
    return new Promise((resolve) => {
      this.once("exit", resolve);
      how();
    });
  }

  #startNext(): void {
    if (this.#running) return;
    const turn = this.#waiting.shift();
    if (!turn) {
      if (this.#stopping) this.#child.stdin.end();
      return;
    }
    this.#running = turn;
    this.#child.stdin.write(encodeTurn(turn.nowMs, turn.message));
  }

  #onFrame(type: number, body: Uint8Array): void {
    if (!this.#running) throw new ProtocolViolation(`a frame of type ${type} between turns`);
    if (type === FrameType.call) this.#child.stdin.write(this.#answer(body));
    else if (type === FrameType.done) this.#finish(decodeDone(body));
    else throw new ProtocolViolation(`a frame of type ${type} from a board`);
  }

  #answer(request: Uint8Array): Uint8Array {
    try {
      const reply = this.#onCall(request);
      if (reply.length <= CALL_BYTES_MAX) return encodeReturn(reply);
      return encodeRefuse(`the reply of ${reply.length} bytes does not fit a frame`);
    } catch (error) {
      return encodeRefuse(error instanceof Error ? error.message : String(error));
    }
  }

  #finish(done: Done): void {
    const turn = this.#running;
    this.#running = undefined;
    turn?.resolve(done);
    this.#startNext();
  }

  #endBroken(violation: Error): void {
    this.#said = `${violation.message}\n`;
    this.#child.kill("SIGKILL");
  }

  #onExit(exit: BoardExit): void {
    if (this.#exit) return;
    this.#exit = exit;
    const turns = this.#running ? [this.#running, ...this.#waiting] : this.#waiting;
    this.#running = undefined;
    for (const turn of turns.splice(0)) turn.reject(new BoardGone(exit));
    this.emit("exit", exit);
  }
}

function commandOf(host: XsHost, words: readonly string[]): HostCommand {
  return host.start?.(words) ?? { command: host.binary, words, folder: process.cwd() };
}

function growthWords({ chunkBytes, chunkStepBytes, slots, slotsStep }: HeapGrowth): string[] {
  const words = ["--chunks", `${chunkBytes}`, "--chunk-step", `${chunkStepBytes}`];
  return [...words, "--slots", `${slots}`, "--slot-step", `${slotsStep}`];
}
