/** What boards on serial ports say, shown as it comes, until Ctrl-C; and what is typed, sent to them. */
import { stdin, stdout } from "node:process";
import { FlashProblem } from "../flasher/problems.ts";
import { BoardSession } from "../monitor/board-session.ts";
import type { ElfFile } from "../monitor/elf/elf-file.ts";
import type { Level } from "../monitor/log-line.ts";
import type { BoardEvent, MonitorEvent } from "../monitor/monitor-event.ts";
import { isWanted, portLabel, textLines } from "../monitor/monitor-text.ts";
import { MonitoredPort } from "../monitor/monitored-port.ts";
import { TypedLine } from "../monitor/typed-line.ts";
import { Failed } from "./failure.ts";
import { untilInterrupted } from "./interruption.ts";
import type { Terminal } from "./terminal.ts";

export interface MonitorSettings {
  /** In bit/s. */
  readonly baud: number;
  readonly level: Level;
  readonly elf: ElfFile | undefined;
  readonly raw: boolean;
  readonly showTime: boolean;
  /** Restart the boards when attached for the first time. */
  readonly reset: boolean;
  /** Ends by itself after so long, in ms. */
  readonly forMs: number | undefined;
}

/** @throws {Failed} when no port can be opened */
export async function monitorPorts(
  terminal: Terminal,
  ports: readonly string[],
  settings: Partial<MonitorSettings> = {},
): Promise<void> {
  const monitor = new SerialMonitor(terminal, ports, { ...usual, ...settings });
  await monitor.run();
}

const usual: MonitorSettings = {
  baud: 115_200,
  level: "debug",
  elf: undefined,
  raw: false,
  showTime: true,
  reset: false,
  forMs: undefined,
};

class SerialMonitor {
  readonly #terminal: Terminal;
  readonly #settings: MonitorSettings;
  readonly #boards: WatchedBoard[];
  readonly #typed = new TypedLine();
  readonly #end = new AbortController();
  #nameWidth: number;

  constructor(terminal: Terminal, ports: readonly string[], settings: MonitorSettings) {
    this.#terminal = terminal;
    this.#settings = settings;
    this.#boards = ports.map((port) => new WatchedBoard(port, settings, (event) => this.#show(port, event)));
    this.#nameWidth = Math.max(...ports.map((port) => portLabel(port).length));
  }

  async run(): Promise<void> {
    const interrupted = untilInterrupted();
    await this.#openAll();
    const { forMs, reset } = this.#settings;
    if (reset) await Promise.all(this.#boards.map((board) => board.reset()));
    const letGoOfKeys = this.#listenToKeys();
    const timer = forMs === undefined ? undefined : setTimeout(() => this.#end.abort(), forMs);
    await new Promise<void>((resolve) => {
      for (const signal of [interrupted, this.#end.signal]) {
        if (signal.aborted) resolve();
        signal.addEventListener("abort", () => resolve(), { once: true });
      }
    });
    clearTimeout(timer);
    letGoOfKeys();
    await Promise.all(this.#boards.map((board) => board.close()));
  }

  /** One that can't be opened is waited for, as long as there is another. */
  async #openAll(): Promise<void> {
    const problems = await Promise.all(this.#boards.map((board) => board.open()));
    const [first] = problems;
    if (first !== undefined && problems.every((each) => each !== undefined)) {
      await Promise.all(this.#boards.map((board) => board.close()));
      const messages = problems.map((each) => each!.message);
      throw new Failed(messages.join("\n"), first.code);
    }
    for (const [i, problem] of problems.entries())
      if (problem !== undefined) this.#boards[i]!.waitFor(problem);
  }

  #show(port: string, event: BoardEvent): void {
    const index = this.#boards.findIndex((each) => each.name === port);
    const board = this.#boards[index]?.boardName;
    const told: MonitorEvent = { at: new Date().toISOString(), port, board, ...event };
    if (!isWanted(told, this.#settings.level)) return;
    if (this.#terminal.json) {
      this.#terminal.result(told);
      return;
    }
    const name = board ?? portLabel(port);
    if (board !== undefined) this.#nameWidth = this.#fittedWidth();
    const { showTime } = this.#settings;
    const paint = (style: Parameters<Terminal["style"]>[0], text: string) =>
      this.#terminal.style(style, text);
    this.#eraseTyped();
    for (const line of textLines(told, { paint, showTime, name, nameWidth: this.#nameWidth, index })) {
      this.#terminal.line(line);
    }
    this.#paintTyped();
  }

  #fittedWidth(): number {
    return Math.max(...this.#boards.map(({ boardName, name }) => (boardName ?? portLabel(name)).length));
  }

  /** On a terminal a line at a time, else byte for byte. */
  #listenToKeys(): () => void {
    const lines = stdin.isTTY && this.#terminal.interactive;
    const onData = (bytes: Buffer) => (lines ? this.#type(bytes.toString("utf8")) : void this.#send(bytes));
    if (lines) {
      stdin.setRawMode(true);
      this.#terminal.note("What you type goes to the board when you press Enter. Ctrl-] ends.");
    }
    stdin.on("data", onData);
    stdin.on("error", () => undefined);
    return () => {
      this.#eraseTyped();
      stdin.off("data", onData);
      if (lines) stdin.setRawMode(false);
      stdin.pause();
    };
  }

  #type(keys: string): void {
    this.#eraseTyped();
    const { lines, quits } = this.#typed.type(keys);
    for (const line of lines) {
      this.#terminal.line(this.#terminal.style("dim", `> ${line}`));
      void this.#send(Buffer.from(`${line}\n`));
    }
    if (quits) this.#end.abort();
    else this.#paintTyped();
  }

  async #send(bytes: Uint8Array): Promise<void> {
    for (const board of this.#boards) await board.send(bytes);
  }

  #eraseTyped(): void {
    if (this.#typed.text !== "" || this.#typedIsShown) stdout.write("\r\x1b[2K");
    this.#typedIsShown = false;
  }

  #paintTyped(): void {
    if (this.#typed.text === "" || !this.#terminal.interactive) return;
    // Its end is what is being typed; a second line would stay behind.
    const room = this.#terminal.columns - 4;
    stdout.write(`> ${[...this.#typed.text].slice(-room).join("")}`);
    this.#typedIsShown = true;
  }

  #typedIsShown = false;
}

/** One port and what is decoded of it. */
class WatchedBoard {
  readonly #port: MonitoredPort;
  readonly #session: BoardSession;
  readonly #emit: (event: BoardEvent) => void;
  #pausing: NodeJS.Timeout | undefined;
  #ending: NodeJS.Timeout | undefined;

  constructor(name: string, settings: MonitorSettings, emit: (event: BoardEvent) => void) {
    const { baud, elf, raw } = settings;
    const hasRate = !name.startsWith("socket:");
    this.#emit = emit;
    this.#session = new BoardSession({ baud: hasRate ? baud : undefined, elf, raw }, emit);
    this.#port = new MonitoredPort(name, baud, {
      bytes: (bytes) => this.#hear(bytes),
      attached: (again) => this.#tell("attached", again ? "it is back" : "attached, without a reset"),
      away: (reason) => {
        this.#settle();
        this.#tell("away", `it went away (${reason}): waiting for it to come back`);
      },
      trouble: (problem) => this.#tell("note", problem.message),
    });
  }

  get name(): string {
    return this.#port.name;
  }

  get boardName(): string | undefined {
    return this.#session.boardName;
  }

  /** What keeps it from being opened. */
  async open(): Promise<FlashProblem | undefined> {
    try {
      await this.#port.open();
      return undefined;
    } catch (error) {
      if (error instanceof FlashProblem) return error;
      throw error;
    }
  }

  waitFor(problem: FlashProblem): void {
    this.#tell("away", `${problem.message} Waiting for it.`);
    this.#port.keepTrying();
  }

  async reset(): Promise<void> {
    const { isAttached } = this.#port;
    const done = await this.#port.reset();
    if (done) this.#tell("note", "restarted");
    else if (isAttached) this.#tell("note", "its reset can't be reached from here: press RESET");
  }

  async send(bytes: Uint8Array): Promise<void> {
    if (!(await this.#port.send(bytes)))
      this.#tell("note", `${bytes.length} bytes were not sent: it is away`);
  }

  async close(): Promise<void> {
    this.#settle();
    await this.#port.close();
  }

  #hear(bytes: Uint8Array): void {
    this.#session.hear(bytes, performance.now());
    clearTimeout(this.#pausing);
    clearTimeout(this.#ending);
    this.#pausing = setTimeout(() => this.#session.pause(performance.now()), pauseMs);
    this.#ending = setTimeout(() => this.#session.end(performance.now()), endMs);
  }

  #settle(): void {
    clearTimeout(this.#pausing);
    clearTimeout(this.#ending);
    this.#session.end(performance.now());
  }

  #tell(state: "attached" | "away" | "note", text: string): void {
    this.#emit({ kind: "port", state, text });
  }
}

/** A line that does not go on for so long is shown as it stands. */
const pauseMs = 250;
/** A dump that does not go on for so long is over. */
const endMs = 1000;
