/** Two ways to watch a swarm: a picture that is redrawn in place, and a line for each event. */
import { stdout } from "node:process";
import type { WriteStream } from "node:tty";
import { styleText } from "node:util";
import type { Terminal } from "../terminal.ts";
import { formatClock } from "./format.ts";
import { frame, type SwarmView } from "./frame.ts";
import { Screen } from "./screen.ts";
import type { SwarmEvent } from "./swarm-event.ts";
import { printable } from "./table.ts";

export interface Presenter {
  /** Something happened. */
  event(event: SwarmEvent): void;
  /** This is how the swarm stands; called often. */
  show(view: Omit<SwarmView, "events">): void;
  /** Gives the terminal back. Idempotent. */
  close(): void;
}

const eventsKept = 100;

/** For a person at a terminal. */
export class LivePicture implements Presenter {
  readonly #screen = new Screen(stdout as WriteStream);
  readonly #events: SwarmEvent[] = [];
  #view: Omit<SwarmView, "events"> | undefined;

  constructor() {
    this.#screen.open(() => this.#draw());
  }

  event(event: SwarmEvent): void {
    this.#events.push(event);
    if (this.#events.length > eventsKept) this.#events.shift();
    this.#draw();
  }

  show(view: Omit<SwarmView, "events">): void {
    this.#view = view;
    this.#draw();
  }

  close(): void {
    this.#screen.close();
  }

  #draw(): void {
    if (this.#view === undefined) return;
    const view = { ...this.#view, events: this.#events };
    const size = { columns: this.#screen.columns, rows: this.#screen.rows };
    this.#screen.show(frame(view, size, (style, text) => styleText(style, text, { stream: stdout })));
  }
}

/** For a pipe, a log file, or who prefers it: a line an event. With `--json`, only what went wrong, on stderr. */
export class PlainLines implements Presenter {
  readonly #terminal: Terminal;

  constructor(terminal: Terminal) {
    this.#terminal = terminal;
  }

  event({ atMs, source, level, text }: SwarmEvent): void {
    const line = `${formatClock(atMs)}  ${source.padEnd(10)}  ${printable(text)}`;
    if (level === "info") this.#terminal.line(line);
    else this.#terminal.note(line);
  }

  show(): void {}

  close(): void {
    this.#terminal.endProgress();
  }
}
