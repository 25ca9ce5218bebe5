import Timer, { type TimerId } from "timer";
import type { SerialLine } from "../ports.ts";

/** A UART keeps 128 bytes; what comes is a packet of at most so many, and then silence until it is answered. */
const fifoBytes = 128;
const lookEveryMs = 20;

/** The console's line, looked at fifty times a second while somebody listens. */
export class ChipConsole implements SerialLine {
  #timer: TimerId | undefined;

  listen(onData: (bytes: Uint8Array) => void): void {
    this.close();
    const bytes = new Uint8Array(fifoBytes);
    this.#timer = Timer.repeat(() => {
      const count = readConsole(bytes) as number;
      if (count > 0) onData(bytes.slice(0, count));
    }, lookEveryMs);
  }

  write(bytes: Uint8Array): void {
    writeConsole(bytes);
  }

  close(): void {
    if (this.#timer !== undefined) Timer.clear(this.#timer);
    this.#timer = undefined;
  }
}

function readConsole(this: unknown, into: Uint8Array): unknown {
  return native("covey_console_read").call(this, into);
}

function writeConsole(this: unknown, bytes: Uint8Array): unknown {
  return native("covey_console_write").call(this, bytes);
}
