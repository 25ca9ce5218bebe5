/** Questions to boards that keep blocks, and their answers: `protocols/keeping/messages.ts`. A board answers at once or not at all, so each is asked again a few times. */
import {
  type KeepAnswer,
  type KeepRequest,
  keepAnswerFromWire,
  keepRequestToWire,
} from "../../../protocols/keeping/messages.ts";
import { decodeCbor, encodeCbor } from "../../codec/cbor.ts";

export const questionLimits = {
  /** For an answer. */
  answerMs: 4_000,
  /** In all. */
  attemptsMax: 3,
  /** Under way at once; beyond that a question fails at once. */
  openMax: 256,
} as const;

/** The board did not answer, or cannot be asked. */
export class NoAnswer extends Error {
  override readonly name = "NoAnswer";
  readonly board: string;

  constructor(board: string) {
    super(`${board} does not answer`);
    this.board = board;
  }
}

export interface QuestionsOptions {
  /** To a board, wherever it is connected; false where it is not. */
  send(board: string, payload: Uint8Array): boolean;
  /** Milliseconds that never go back. */
  nowMs(): number;
  /** 32 bits at random. */
  drawId(): number;
}

// A type for each kind, or what is left out would be left out of all of them.
type Asked<Request> = Request extends KeepRequest ? Omit<Request, "id"> : never;
export type KeepQuestion = Asked<KeepRequest>;

interface Open {
  readonly board: string;
  readonly payload: Uint8Array;
  deadlineMs: number;
  attempts: number;
  settle(answer: KeepAnswer | undefined): void;
}

export class Questions {
  readonly #options: QuestionsOptions;
  readonly #open = new Map<number, Open>();

  constructor(options: QuestionsOptions) {
    this.#options = options;
  }

  /** Rejects with `NoAnswer`. */
  ask(board: string, question: KeepQuestion): Promise<KeepAnswer> {
    const { nowMs, drawId, send } = this.#options;
    let id = drawId();
    while (this.#open.has(id)) id = drawId();
    const payload = encodeCbor(keepRequestToWire({ ...question, id } as KeepRequest));
    return new Promise((resolve, reject) => {
      if (this.#open.size >= questionLimits.openMax || !send(board, payload)) {
        reject(new NoAnswer(board));
        return;
      }
      const settle = (answer: KeepAnswer | undefined) => {
        this.#open.delete(id);
        if (answer === undefined) reject(new NoAnswer(board));
        else resolve(answer);
      };
      const deadlineMs = nowMs() + questionLimits.answerMs;
      this.#open.set(id, { board, payload, deadlineMs, attempts: 1, settle });
    });
  }

  /** What a board says, to whichever host. @throws {CborError | ShapeError} */
  take(board: string, payload: Uint8Array): KeepAnswer {
    const answer = keepAnswerFromWire(decodeCbor(payload));
    const open = this.#open.get(answer.id);
    if (open?.board === board) open.settle(answer);
    return answer;
  }

  /** Asks again what nobody answered in time, and gives up in the end. */
  look(): void {
    const nowMs = this.#options.nowMs();
    for (const open of [...this.#open.values()]) {
      if (nowMs < open.deadlineMs) continue;
      const { board, payload } = open;
      if (open.attempts < questionLimits.attemptsMax && this.#options.send(board, payload)) {
        open.attempts++;
        open.deadlineMs = nowMs + questionLimits.answerMs;
      } else open.settle(undefined);
    }
  }

  stop(): void {
    for (const open of [...this.#open.values()]) open.settle(undefined);
  }
}
