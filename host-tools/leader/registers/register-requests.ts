/**
 * Changes and readings that people and programs ask a host for: a connected member carries them out as it does its own, and when it dies over it, another one is asked.
 *
 * A change is made once, whoever is asked however often: it names the version that it is to follow, which is read first where nobody has stated one. Of all attempts at the
 * same one at most one can become the version after it, and each carries a random number. Who finds one of these numbers there has found it made; who finds another one
 * knows that it never will be.
 */
import { randomBytes } from "node:crypto";
import type { AnswerReport, RegisterAsk } from "../../../protocols/paxos/report.ts";
import type { RegisterState, RegisterValue } from "../../../protocols/paxos/types.ts";
import { ApiFailure } from "../api/api-failure.ts";

export const requestLimits = {
  /** For all of it. A host that sends a request on waits a little longer. */
  timeoutMs: 4_500,
  /** For one member, before another is asked. */
  memberMs: 1_500,
  /** On top, for what it says to come back. */
  answerMs: 300,
  pauseMs: 100,
  /** At a time, of one host. */
  pendingMax: 64,
} as const;

export interface RegisterRequestsOptions {
  /** Members that are connected somewhere, the ones to be asked first in front. */
  members(): readonly string[];
  /** False where it is not connected any more. */
  send(board: string, ask: RegisterAsk): boolean;
  /** Milliseconds that never go back. */
  nowMs(): number;
}

export interface Change {
  readonly register: string;
  readonly value: RegisterValue;
  /** Only in place of this version; undefined: of any. */
  readonly ifVersion: number | undefined;
}

/** What came of it, and which board said so. */
export interface Answered {
  readonly state: RegisterState;
  readonly via: string;
}

export class RegisterRequests {
  readonly #options: RegisterRequestsOptions;
  /** By the number of the request: who was asked, and who waits. */
  /** Who found a majority last: asked first the next time. */
  #best: string | undefined;
  readonly #pending = new Map<number, { readonly board: string; take(answer: AnswerReport): void }>();

  constructor(options: RegisterRequestsOptions) {
    this.#options = options;
  }

  /** Of a board that has proved to be `board`. */
  onAnswer(board: string, answer: AnswerReport): void {
    const pending = this.#pending.get(answer.request);
    if (pending?.board === board) pending.take(answer);
  }

  /** As a majority of the members has it now. Rejects with `ApiFailure`. */
  read(register: string): Promise<Answered> {
    return this.#read(register, this.#deadline());
  }

  /** Resolves once a majority has it. Rejects with `ApiFailure`; one with the code `timeout` means that it may have been made, or may yet be. */
  async change({ register, value, ifVersion }: Change): Promise<Answered> {
    const deadlineMs = this.#deadline();
    let expected = ifVersion ?? (await this.#read(register, deadlineMs)).state.version;
    /** By the number, the attempts to put it in place of `expected`. */
    const attempts = new Set<number>();
    /** Of one of them nobody said what came of it. */
    let isOpen = false;
    for await (const board of this.#turns(deadlineMs)) {
      const ask = { register, value, ifVersion: expected, request: newRequest() };
      attempts.add(ask.request);
      const answer = await this.#ask(board, ask, deadlineMs);
      const outcome = answer?.outcome ?? "unknown";
      const state = answer?.state;
      if (outcome === "unknown") isOpen = true;
      if (state === undefined) continue;
      this.#best = board;
      if (outcome === "done" || attempts.has(state.request)) return { state, via: board };
      // Another change has taken that place: this one is not made, wherever it still is on its way.
      const isSettled = !isOpen || state.version === expected + 1;
      if (!isSettled) throw unknownOutcome(register);
      if (ifVersion !== undefined) throw conflict(register, state, ifVersion);
      expected = state.version;
      attempts.clear();
      isOpen = false;
    }
    throw isOpen ? unknownOutcome(register) : this.#unreached(register, "was not changed");
  }

  async #read(register: string, deadlineMs: number): Promise<Answered> {
    for await (const board of this.#turns(deadlineMs)) {
      const ask = { register, value: undefined, ifVersion: undefined, request: newRequest() };
      const answer = await this.#ask(board, ask, deadlineMs);
      if (answer?.outcome !== "done" || answer.state === undefined) continue;
      this.#best = board;
      return { state: answer.state, via: board };
    }
    throw this.#unreached(register, "cannot be read now");
  }

  /** One connected member after the other, with a pause after each round, until the time is over. */
  async *#turns(deadlineMs: number): AsyncGenerator<string> {
    const { nowMs } = this.#options;
    while (nowMs() < deadlineMs) {
      const best = this.#best;
      const boards = [...this.#options.members()].sort((a, b) => Number(b === best) - Number(a === best));
      for (const board of boards) {
        if (nowMs() < deadlineMs) yield board;
      }
      await new Promise((resolve) => setTimeout(resolve, requestLimits.pauseMs));
    }
  }

  /** undefined where it did not answer in time. */
  async #ask(
    board: string,
    ask: Omit<RegisterAsk, "kind" | "timeoutMs">,
    deadlineMs: number,
  ): Promise<AnswerReport | undefined> {
    const { send, nowMs } = this.#options;
    const { memberMs, answerMs, pendingMax } = requestLimits;
    const timeoutMs = Math.round(Math.min(memberMs, deadlineMs - answerMs - nowMs()));
    const unsent = { kind: "answer", request: ask.request, outcome: "unreached", state: undefined } as const;
    if (timeoutMs <= 0 || this.#pending.size >= pendingMax) return unsent;
    let timer: NodeJS.Timeout | undefined;
    try {
      return await new Promise<AnswerReport | undefined>((resolve) => {
        this.#pending.set(ask.request, { board, take: resolve });
        timer = setTimeout(() => resolve(undefined), timeoutMs + answerMs);
        if (!send(board, { kind: "ask", ...ask, timeoutMs })) resolve(unsent);
      });
    } finally {
      clearTimeout(timer);
      this.#pending.delete(ask.request);
    }
  }

  #deadline(): number {
    return this.#options.nowMs() + requestLimits.timeoutMs;
  }

  #unreached(register: string, what: string): ApiFailure {
    const boards = this.#options.members();
    const why =
      boards.length === 0
        ? "none of its boards is connected to a host"
        : `of its boards ${boards.join(", ")} ${boards.length === 1 ? "is" : "are"} connected, and found no majority`;
    return new ApiFailure("no-quorum", `${register} ${what}: ${why}.`);
  }
}

function newRequest(): number {
  return randomBytes(4).readUInt32BE();
}

function unknownOutcome(register: string): ApiFailure {
  return new ApiFailure(
    "timeout",
    `Nobody could say in time whether ${register} was changed; it may still be. Look with covey register get ${register} --now.`,
  );
}

function conflict(register: string, { version, value, by }: RegisterState, ifVersion: number): ApiFailure {
  const whose = by === "" ? "" : ` by ${by}`;
  return new ApiFailure(
    "unexpected-value",
    `${register} is ${JSON.stringify(value)}, version ${version}${whose}, not version ${ifVersion}; nothing was changed.`,
  );
}
