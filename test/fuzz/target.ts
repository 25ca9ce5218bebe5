/** A decoder that faces the network, as the property tests and the fuzzer use it. */
export interface Target {
  readonly name: string;
  /** Exported functions and classes that it runs, `file name`: what `decoders.test.ts` holds against the tree. */
  readonly covers: readonly string[];
  /** Real encodings. */
  readonly seeds: readonly Uint8Array[];
  /** Named classes that it may throw; any other is a finding. */
  readonly errors: readonly (new (
    ...args: never[]
  ) => Error)[];
  /** Gives what was read, whose size counts. */
  decode(bytes: Uint8Array): unknown;
}

export const limits = Object.freeze({
  /** One input may take this long, on a machine that does other things too. */
  timeMs: 2_000,
  /** Size of what comes out, as `sizeOf` counts: in all, and for each byte that came in. */
  sizeAtLeast: 4_096,
  sizePerByte: 64,
});

/** An input that a decoder did not bear. */
export class Finding extends Error {
  override readonly name = "Finding";
  readonly target: string;
  readonly input: Uint8Array;
  /** What went wrong, without the input: findings of one kind have one. */
  readonly what: string;

  constructor(target: string, input: Uint8Array, what: string) {
    super(`${target}: ${what}, for ${input.length} bytes: ${Buffer.from(input).toString("hex")}`);
    this.target = target;
    this.input = input;
    this.what = what;
  }
}

/** Runs a target once. Throws `Finding`. */
export function exercise(target: Target, input: Uint8Array): void {
  const startedMs = performance.now();
  let value: unknown;
  try {
    value = target.decode(input.slice());
  } catch (error) {
    if (!target.errors.some((named) => error instanceof named)) {
      throw new Finding(
        target.name,
        input,
        `threw ${error instanceof Error ? (error.stack ?? error) : error}`,
      );
    }
  }
  const tookMs = performance.now() - startedMs;
  if (tookMs > limits.timeMs) throw new Finding(target.name, input, `took ${Math.round(tookMs)} ms`);
  const most = limits.sizeAtLeast + limits.sizePerByte * input.length;
  const size = sizeOf(value, most);
  if (size > most) throw new Finding(target.name, input, `gave more than ${most} units`);
}

/** A rough count of what a value takes: 8 an item, and its bytes or characters. Stops beyond `most`. */
function sizeOf(value: unknown, most: number): number {
  if (typeof value === "string") return 8 + value.length;
  if (value instanceof Uint8Array) return 8 + value.length;
  if (typeof value !== "object" || value === null) return 8;
  let size = 8;
  for (const part of Object.values(value)) {
    size += sizeOf(part, most - size);
    if (size > most) break;
  }
  return size;
}
