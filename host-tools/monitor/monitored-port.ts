/**
 * A port that is listened to for as long as it takes: attached without a reset of its board, and opened again when it went away and came back.
 */
import { setTimeout as sleep } from "node:timers/promises";
import { FlashProblem, problem } from "../flasher/problems.ts";
import { openWire } from "../flasher/serial/open-wire.ts";
import type { Wire } from "../flasher/serial/wire.ts";

export interface PortListener {
  bytes(bytes: Uint8Array): void;
  /** @param again it had been away */
  attached(again: boolean): void;
  /** It went away by itself, and is looked for from now on. */
  away(reason: string): void;
  /** It can't be opened again, for a reason that waiting may not mend. */
  trouble(found: FlashProblem): void;
}

export class MonitoredPort {
  readonly name: string;
  readonly #baud: number;
  readonly #listener: PortListener;
  readonly #closing = new AbortController();
  #wire: Wire | undefined;

  /** @param baud in bit/s */
  constructor(name: string, baud: number, listener: PortListener) {
    this.name = name;
    this.#baud = baud;
    this.#listener = listener;
  }

  /** Of the port as it is attached now. */
  get hasLines(): boolean {
    return this.#wire?.hasLines ?? false;
  }

  get isAttached(): boolean {
    return this.#wire !== undefined;
  }

  /** @throws {FlashProblem} no-port, no-permission, port-busy */
  async open(): Promise<void> {
    await this.#attach(false);
  }

  /** Goes on trying where `open` failed. */
  keepTrying(): void {
    void this.#attachAgain();
  }

  /** False when the port is away, and nothing was sent. */
  async send(bytes: Uint8Array): Promise<boolean> {
    const wire = this.#wire;
    if (wire === undefined) return false;
    return wire.write(bytes).then(
      () => true,
      () => false,
    );
  }

  /** Restarts the board; false where its reset can't be reached from here. */
  async reset(): Promise<boolean> {
    const wire = this.#wire;
    if (wire === undefined || !wire.hasLines) return false;
    await wire.setLines({ dtr: false, rts: true });
    await sleep(resetMs);
    await wire.setLines({ dtr: false, rts: false });
    return true;
  }

  async close(): Promise<void> {
    this.#closing.abort();
    const wire = this.#wire;
    this.#wire = undefined;
    await wire?.close();
  }

  async #attach(again: boolean): Promise<void> {
    const held = new HeldBytes((bytes) => this.#listener.bytes(bytes));
    let gone: string | undefined;
    let wire: Wire | undefined;
    const listener = {
      data: (bytes: Uint8Array) => held.take(bytes),
      gone: (reason: string) => {
        gone ??= reason;
        if (wire !== undefined && this.#wire === wire) this.#lost(reason);
      },
    };
    try {
      wire = await openWire(this.name, this.#baud, listener);
    } catch (error) {
      // A server that has no port for us says so and hangs up, in the middle of what we agree with it.
      if (error instanceof FlashProblem) throw error;
      throw refused(this.name, held.text, gone ?? (error as Error).message);
    }
    if (this.name.includes("://"))
      await sleep(refusalMs, undefined, { signal: this.#closing.signal }).catch(() => {});
    if (gone !== undefined) {
      await wire.close();
      throw refused(this.name, held.text, gone);
    }
    if (this.#closing.signal.aborted) return wire.close();
    this.#wire = wire;
    this.#listener.attached(again);
    held.letGo();
  }

  #lost(reason: string): void {
    const wire = this.#wire;
    this.#wire = undefined;
    void wire?.close().catch(() => undefined);
    this.#listener.away(reason);
    void this.#attachAgain();
  }

  async #attachAgain(): Promise<void> {
    const sinceMs = performance.now();
    let told: string | undefined;
    const { signal } = this.#closing;
    while (!signal.aborted) {
      await sleep(retryMs, undefined, { signal }).catch(() => {});
      if (signal.aborted) return;
      try {
        await this.#attach(true);
        return;
      } catch (error) {
        if (!(error instanceof FlashProblem)) throw error;
        // That it is not there is known; and a system needs a moment to give a port to those who may open it.
        const mayPass = error.code === "no-port" || performance.now() - sinceMs < settleMs;
        if (!mayPass && told !== error.code) {
          told = error.code;
          this.#listener.trouble(error);
        }
      }
    }
  }
}

/** What comes before it is clear that the port is ours may be a server's refusal, which is no word of the board's. */
class HeldBytes {
  #held: Uint8Array[] | undefined = [];
  readonly #give: (bytes: Uint8Array) => void;

  constructor(give: (bytes: Uint8Array) => void) {
    this.#give = give;
  }

  get text(): string {
    return Buffer.concat(this.#held ?? [])
      .toString("latin1")
      .replace(/[^ -~]+/g, " ")
      .trim()
      .slice(0, 200);
  }

  take(bytes: Uint8Array): void {
    if (this.#held === undefined) this.#give(bytes);
    else this.#held.push(Uint8Array.from(bytes));
  }

  letGo(): void {
    const held = this.#held ?? [];
    this.#held = undefined;
    for (const bytes of held) this.#give(bytes);
  }
}

function refused(name: string, said: string, reason: string): FlashProblem {
  if (/in use|busy/i.test(said)) return problem.portBusy(name);
  return problem.unreachable(name, said === "" ? reason : said);
}

const resetMs = 100;
const retryMs = 500;
const refusalMs = 150;
const settleMs = 2000;
