import { encodePacket, type PacketEvents, PacketReader, PacketType } from "../../protocols/improv/packets.ts";
import { ImprovService, type ServiceBoard, type ServiceWire } from "../../protocols/improv/service.ts";
import type { SerialLine } from "../platform/ports.ts";

/** What is held back is no packet when nothing has come for so long. */
const quietMs = 250;

/** Improv on the console's line. The service is made when somebody says something to it. */
export class SerialDoor implements ServiceWire, PacketEvents {
  readonly isSerial = true;
  readonly #line: SerialLine;
  readonly #board: ServiceBoard;
  readonly #reader = new PacketReader(this);
  #service: ImprovService | undefined;
  #nowMs = 0;
  #heardMs = 0;

  constructor(line: SerialLine, board: ServiceBoard) {
    this.#line = line;
    this.#board = board;
  }

  /** undefined while nobody has spoken to it. */
  get service(): ImprovService | undefined {
    return this.#service;
  }

  get dueMs(): number {
    const quietAtMs = this.#reader.isHolding ? this.#heardMs + quietMs : Infinity;
    return Math.min(this.#service?.dueMs ?? Infinity, quietAtMs);
  }

  receive(bytes: Uint8Array, nowMs: number): void {
    this.#nowMs = nowMs;
    this.#heardMs = nowMs;
    this.#reader.push(bytes);
  }

  run(nowMs: number): void {
    this.#nowMs = nowMs;
    if (nowMs >= this.#heardMs + quietMs) this.#reader.abandon();
    this.#service?.run(nowMs);
  }

  close(): void {
    this.#line.close();
  }

  // Packets.

  onPacket(type: number, data: Uint8Array): void {
    if (type !== PacketType.command) return;
    this.#service ??= new ImprovService(this.#board, this, false);
    this.#service.take(data, this.#nowMs);
  }

  /** What somebody types at the console. */
  onOther(): void {}

  // The service's words.

  state(state: number): void {
    this.#line.write(encodePacket(PacketType.state, Uint8Array.of(state)));
  }

  error(error: number): void {
    this.#line.write(encodePacket(PacketType.error, Uint8Array.of(error)));
  }

  result(bytes: Uint8Array): void {
    this.#line.write(encodePacket(PacketType.result, bytes));
  }
}
