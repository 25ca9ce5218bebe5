/** Coverage-guided fuzzing of one target: inputs that reach new code are kept, and changed further. */
import type { CoverageRecorder } from "./coverage.ts";
import { mutate } from "./mutate.ts";
import type { Random } from "./random.ts";
import { exercise, Finding, type Target } from "./target.ts";

/** Inputs tried before coverage is asked for once: fewer while much is new, more while nothing is, as far as they take no longer than this. */
const batchInputs = Object.freeze({ min: 64, max: 8_192, timeMs: 250 });
/** Inputs kept of a target; beyond, a random one makes room. */
const corpusMax = 1024;
/** Of one target; a decoder that is broken is broken often. */
const findingsMax = 8;

export class Fuzzer {
  readonly target: Target;
  readonly corpus: Uint8Array[];
  /** One of each kind, minimised. */
  readonly findings: Finding[] = [];
  runs = 0;
  readonly #coverage: CoverageRecorder;
  readonly #random: Random;
  readonly #onInput: (input: Uint8Array) => void;
  #batchInputs = 256;

  /** @param onInput told each input before it is tried, in case it never returns. */
  constructor(
    target: Target,
    coverage: CoverageRecorder,
    random: Random,
    onInput: (input: Uint8Array) => void = () => {},
  ) {
    this.target = target;
    this.#coverage = coverage;
    this.#random = random;
    this.#onInput = onInput;
    this.corpus = [new Uint8Array(0), ...target.seeds];
  }

  /** The seeds, so that what they reach is not taken for new. */
  begin(): void {
    this.#coverage.take();
    for (const input of this.corpus) this.#try(input);
    this.#coverage.add(this.#coverage.take());
  }

  batch(): void {
    const startedMs = performance.now();
    const inputs = Array.from({ length: this.#batchInputs }, () => {
      const parent = this.corpus[this.#random(this.corpus.length)]!;
      return mutate(parent, this.corpus, this.#random, 1 + this.#random(8));
    });
    this.#coverage.take();
    const kept = this.corpus.length;
    this.#search(inputs);
    const { min, max, timeMs } = batchInputs;
    const isSlow = performance.now() - startedMs > timeMs;
    this.#batchInputs =
      isSlow || this.corpus.length > kept
        ? Math.max(min, this.#batchInputs >> 1)
        : Math.min(max, this.#batchInputs << 1);
  }

  /** Tries inputs, and finds by halves which of them reached new code. */
  #search(inputs: readonly Uint8Array[]): void {
    for (const input of inputs) this.#try(input);
    const coverage = this.#coverage.take();
    if (!this.#coverage.isNew(coverage)) return;
    if (inputs.length === 1) {
      this.#coverage.add(coverage);
      if (this.corpus.length < corpusMax) this.corpus.push(inputs[0]!);
      else this.corpus[this.#random(corpusMax)] = inputs[0]!;
      return;
    }
    const half = inputs.length >> 1;
    this.#search(inputs.slice(0, half));
    this.#search(inputs.slice(half));
  }

  #try(input: Uint8Array): void {
    this.runs++;
    this.#onInput(input);
    const finding = findingOf(this.target, input);
    if (finding === undefined || this.findings.length >= findingsMax) return;
    if (this.findings.some(({ what }) => kindOf(what) === kindOf(finding.what))) return;
    this.findings.push(minimised(this.target, finding));
  }
}

/** The same finding from an input that nothing more can be left out of, and whose bytes are 0 where that does. */
export function minimised(target: Target, finding: Finding): Finding {
  let best = finding;
  const attempt = (input: Uint8Array) => {
    const found = findingOf(target, input);
    if (found === undefined || kindOf(found.what) !== kindOf(finding.what)) return false;
    best = found;
    return true;
  };
  for (let size = Math.max(1, best.input.length >> 1); size >= 1; size >>= 1) {
    for (let at = 0; at + size <= best.input.length; ) {
      const { input } = best;
      if (!attempt(new Uint8Array([...input.subarray(0, at), ...input.subarray(at + size)]))) at += size;
    }
  }
  for (let at = 0; at < best.input.length; at++) {
    if (best.input[at] !== 0) attempt(best.input.with(at, 0));
  }
  return best;
}

function findingOf(target: Target, input: Uint8Array): Finding | undefined {
  try {
    exercise(target, input);
    return undefined;
  } catch (error) {
    if (error instanceof Finding) return error;
    throw error;
  }
}

/** Of a stack the place where it was thrown, whatever the message says of the input; of a duration that it was too long. */
function kindOf(what: string): string {
  return what.split("\n")[1] ?? what.replace(/\d+/g, "n");
}
