/** A board's service and a computer's client on one serial line in virtual time, which loses, doubles and turns bytes as it is told. */
import { ImprovClient, type Outcome, type Request } from "../../../protocols/improv/client.ts";
import { encodePacket, PacketReader, PacketType } from "../../../protocols/improv/packets.ts";
import { ImprovService, type ServiceBoard } from "../../../protocols/improv/service.ts";

/** What becomes of one byte: usually itself alone. */
export type Fault = (byte: number, at: number) => readonly number[];

export const faultless: Fault = (byte) => [byte];

export interface EndsOptions {
  readonly board?: Partial<ServiceBoard>;
  readonly toBoard?: Fault;
  readonly toHost?: Fault;
  /** After each packet of the board's: its log, on the same wire. */
  readonly log?: Uint8Array;
}

export const plainBoard: ServiceBoard = {
  info: ["Covey", "0.1.0", "esp32c3", "north-1"],
  isOnline: false,
  canIdentify: false,
  canScan: false,
  canTakeGift: false,
  useWifi: () => true,
  identify: () => {},
  scan: () => {},
  take: () => undefined,
};

/** What is held back is no packet after this. */
const quietMs = 200;

export class TwoEnds {
  readonly service: ImprovService;
  readonly client: ImprovClient;
  readonly states: number[] = [];
  readonly outcomes: Outcome[] = [];
  readonly heard: number[] = [];
  readonly #toBoard: PacketReader;
  readonly #toHost: PacketReader;
  nowMs = 0;
  #passed = 0;
  #events: { readonly atMs: number; readonly act: () => void }[] = [];

  constructor({ board = {}, toBoard = faultless, toHost = faultless, log }: EndsOptions) {
    const send = (type: number, data: Uint8Array) => {
      this.#carry(toHost, encodePacket(type, data), (bytes) => this.#toHost.push(bytes));
      if (log !== undefined) this.#carry(faultless, log, (bytes) => this.#toHost.push(bytes));
    };
    this.service = new ImprovService(
      { ...plainBoard, ...board },
      {
        isSerial: true,
        state: (state) => send(PacketType.state, Uint8Array.of(state)),
        error: (error) => send(PacketType.error, Uint8Array.of(error)),
        result: (bytes) => send(PacketType.result, bytes),
      },
      false,
    );
    this.client = new ImprovClient(
      {
        onSend: (command) =>
          this.#carry(toBoard, encodePacket(PacketType.command, command), (bytes) =>
            this.#toBoard.push(bytes),
          ),
        onOutcome: (outcome) => this.outcomes.push(outcome),
        onState: (state) => this.states.push(state),
      },
      true,
    );
    this.#toBoard = new PacketReader({
      onPacket: (type, data) => {
        if (type === PacketType.command) this.service.take(data.slice(), this.nowMs);
      },
      onOther: () => {},
    });
    this.#toHost = new PacketReader({
      onPacket: (type, data) => {
        if (type === PacketType.state) this.client.onState(data[0]!, this.nowMs);
        else if (type === PacketType.error) this.client.onError(data[0]!, this.nowMs);
        else if (type === PacketType.result) this.client.onResult(data.slice(), this.nowMs);
      },
      onOther: (bytes) => this.heard.push(...bytes),
    });
  }

  at(delayMs: number, act: () => void): void {
    this.#events.push({ atMs: this.nowMs + delayMs, act });
  }

  /** Runs until the request is over. */
  ask(request: Request): Outcome {
    const before = this.outcomes.length;
    this.client.start(request, this.nowMs);
    const untilMs = this.nowMs + 200_000;
    while (this.outcomes.length === before && this.nowMs < untilMs) this.step();
    const outcome = this.outcomes[before];
    if (outcome === undefined) throw new Error("The request never ended.");
    return outcome;
  }

  /** To the next moment at which something is due. */
  step(): void {
    const dueMs = Math.min(
      this.client.dueMs,
      this.service.dueMs,
      ...this.#events.map(({ atMs }) => atMs),
      this.nowMs + quietMs,
    );
    this.nowMs = Math.max(this.nowMs, dueMs);
    const due = this.#events.filter(({ atMs }) => atMs <= this.nowMs);
    this.#events = this.#events.filter(({ atMs }) => atMs > this.nowMs);
    for (const { act } of due) act();
    if (due.length === 0) {
      this.#toBoard.abandon();
      this.#toHost.abandon();
    }
    this.service.run(this.nowMs);
    this.client.run(this.nowMs);
  }

  #carry(fault: Fault, bytes: Uint8Array, deliver: (bytes: Uint8Array) => void): void {
    const arrives = Uint8Array.from([...bytes].flatMap((byte) => fault(byte, this.#passed++)));
    this.at(10, () => {
      // Byte by byte.
      for (const byte of arrives) deliver(Uint8Array.of(byte));
    });
  }
}
