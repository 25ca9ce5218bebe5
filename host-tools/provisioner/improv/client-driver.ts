/** Drives an `ImprovClient` in real time: what is asked becomes a promise. */
import { ImprovClient, type Outcome, type Request } from "../../../protocols/improv/client.ts";

export class ClientDriver {
  readonly #client: ImprovClient;
  #timer: NodeJS.Timeout | undefined;
  #settle: ((outcome: Outcome) => void) | undefined;
  #fail: ((error: Error) => void) | undefined;
  #loss: Error | undefined;

  /** `send`: a command, less what the wire puts around it. */
  constructor(send: (command: Uint8Array) => void, isSerial: boolean, onState: (state: number) => void) {
    const events = { onSend: send, onState, onOutcome: (outcome: Outcome) => this.#end(outcome) };
    this.#client = new ImprovClient(events, isSerial);
  }

  get state(): number | undefined {
    return this.#client.state;
  }

  /** One at a time. Rejects with what `lose` was told. */
  ask(request: Request): Promise<Outcome> {
    return new Promise((resolve, reject) => {
      if (this.#loss !== undefined) {
        reject(this.#loss);
        return;
      }
      this.#settle = resolve;
      this.#fail = reject;
      this.#turn((nowMs) => this.#client.start(request, nowMs));
    });
  }

  onState(state: number): void {
    this.#turn((nowMs) => this.#client.onState(state, nowMs));
  }

  onError(error: number): void {
    this.#turn((nowMs) => this.#client.onError(error, nowMs));
  }

  onResult(bytes: Uint8Array): void {
    this.#turn((nowMs) => this.#client.onResult(bytes, nowMs));
  }

  /** The board went away: what is under way fails, and all that follows. */
  lose(error: Error): void {
    this.#loss ??= error;
    clearTimeout(this.#timer);
    const fail = this.#fail;
    this.#settle = this.#fail = undefined;
    fail?.(error);
  }

  #turn(act: (nowMs: number) => void): void {
    act(performance.now());
    this.#setTimer();
  }

  #setTimer(): void {
    clearTimeout(this.#timer);
    const { dueMs } = this.#client;
    if (dueMs === Number.POSITIVE_INFINITY || this.#loss !== undefined) return;
    const delayMs = Math.max(0, Math.ceil(dueMs - performance.now()));
    this.#timer = setTimeout(() => this.#turn((nowMs) => this.#client.run(nowMs)), delayMs);
  }

  #end(outcome: Outcome): void {
    const settle = this.#settle;
    this.#settle = this.#fail = undefined;
    settle?.(outcome);
  }
}
