/**
 * A member's memory in one epoch: of each register what it has promised and what it has accepted. Without I/O; whatever it answers may leave the board only once
 * what it has come to is durable.
 *
 * CASPaxos, section 2.2: an acceptor promises a ballot that is above all that it has promised, and accepts in a ballot that is not below them. To accept is to promise
 * as well: an acceptor that took a ballot above its promise and left the promise where it was would later accept below it.
 */
import { ItemReader } from "../cbor/shape.ts";
import type { CborValue } from "../cbor/value.ts";
import { ballotMax } from "./ballot.ts";
import type { Answer, Decided, Question } from "./messages.ts";
import { readState, stateToWire } from "./state-codec.ts";
import { type Accepted, type RegisterState, registerLimits } from "./types.ts";

/** Of one register. */
interface Memory {
  /** It accepts nothing below; 0 for nothing promised. */
  promised: number;
  /** In which it accepted `state`; 0 for what the epoch began with. */
  accepted: number;
  /** It knows that `state` is chosen. */
  isChosen: boolean;
  state: RegisterState;
}

export class Acceptor {
  readonly epoch: number;
  readonly #memories: Memory[];
  #isClosed: boolean;

  /** One that has promised nothing, in an epoch that begins with these states; or as it was, when `memories` were kept. */
  constructor(epoch: number, base: readonly RegisterState[], memories?: Memory[], isClosed = false) {
    this.epoch = epoch;
    this.#memories = memories ?? base.map((state) => ({ promised: 0, accepted: 0, isChosen: true, state }));
    this.#isClosed = isClosed;
  }

  /** It promises and accepts nothing any more, in this epoch. */
  get isClosed(): boolean {
    return this.#isClosed;
  }

  get registers(): number {
    return this.#memories.length;
  }

  /** True when that is news, and to be durable before the leader is told what was accepted. */
  close(): boolean {
    const isNews = !this.#isClosed;
    this.#isClosed = true;
    return isNews;
  }

  /**
   * The answer to a question of this epoch; undefined where there is none: it is closed, and so does not even say what it has, because a later epoch may have come to more.
   * `isChanged` of `taken` says whether there is something to make durable before the answer goes out.
   */
  take(question: Question, taken: { isChanged: boolean }): Answer | undefined {
    const memory = this.#memories[question.register];
    if (this.#isClosed || question.epoch !== this.epoch || memory === undefined) return undefined;
    const { epoch, register } = question;
    if (question.kind === "look") {
      const { accepted, isChosen, state } = memory;
      return { kind: "seen", epoch, register, request: question.request, accepted, isChosen, state };
    }
    const { ballot } = question;
    if (ballot < memory.promised) {
      return { kind: "refused", epoch, register, ballot, promised: memory.promised };
    }
    if (question.kind === "prepare") {
      if (ballot > memory.promised) taken.isChanged = true;
      memory.promised = ballot;
      const { accepted, isChosen, state } = memory;
      return { kind: "promise", epoch, register, ballot, accepted, isChosen, state };
    }
    if (ballot !== memory.accepted) {
      this.accept(memory, ballot, question.state);
      taken.isChanged = true;
    }
    return { kind: "accepted", epoch, register, ballot };
  }

  /**
   * Learns that this is chosen in `ballot`: that is at least what an accept of it would have said. True when that changed something; it need not be durable, since
   * whoever has forgotten it asks again.
   */
  learn({ epoch, register, ballot, state }: Omit<Decided, "kind">): boolean {
    const memory = this.#memories[register];
    if (this.#isClosed || epoch !== this.epoch || memory === undefined) return false;
    if (ballot > memory.accepted && ballot >= memory.promised) this.accept(memory, ballot, state);
    if (ballot !== memory.accepted || memory.isChosen) return false;
    memory.isChosen = true;
    return true;
  }

  /** The highest ballot that it has promised. */
  promised(register: number): number {
    return this.#memories[register]!.promised;
  }

  /** Whether it does not know that what it has accepted is chosen. */
  isUnsettled(register: number): boolean {
    return !this.#memories[register]!.isChosen;
  }

  /** What is to be told of this register to somebody who is behind; undefined while it does not know it to be chosen in a ballot. */
  decided(register: number): Decided | undefined {
    const { accepted, isChosen, state } = this.#memories[register]!;
    if (!isChosen || accepted === 0) return undefined;
    return { kind: "decided", epoch: this.epoch, register, ballot: accepted, state };
  }

  /** What the leader is told of one that has closed. */
  accepted(): Accepted[] {
    return this.#memories.map(({ accepted, state }) => ({ ballot: accepted, state }));
  }

  toWire(): CborValue {
    const memories = this.#memories.map(({ promised, accepted, isChosen, state }) => [
      promised,
      accepted,
      isChosen,
      stateToWire(state),
    ]);
    return [this.epoch, this.#isClosed, memories];
  }

  private accept(memory: Memory, ballot: number, state: RegisterState): void {
    memory.promised = ballot;
    memory.accepted = ballot;
    memory.isChosen = false;
    memory.state = state;
  }
}

/** What `toWire` made. Throws `ShapeError`. */
export function readAcceptor(value: CborValue): Acceptor {
  const items = new ItemReader(value, format, "the acceptor", 3);
  const epoch = items.integer("the epoch", 1, registerLimits.epochMax);
  const isClosed = items.boolean("isClosed");
  const memories = items.array("the registers", registerLimits.registersMax).map((item): Memory => {
    const memory = new ItemReader(item, format, "a register", 4);
    const promised = memory.integer("promised", 0, ballotMax);
    const accepted = memory.integer("accepted", 0, promised);
    return { promised, accepted, isChosen: memory.boolean("isChosen"), state: readState(memory, format) };
  });
  return new Acceptor(epoch, [], memories, isClosed);
}

const format = "kept registers";
