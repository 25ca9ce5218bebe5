/** Many lives of one board: releases of all kinds, hosts that lose, repeat, swap, forge and forget, a power that fails. It always ends on a firmware that works, and says which. */
import fc from "fast-check";
import { expect, test } from "vitest";
import { decodeCbor } from "../../../protocols/cbor/decode.ts";
import { chunkFromWire, type Want } from "../../../protocols/update/messages.ts";
import { Random } from "../../simulation/raft/random.ts";
import { ChipModel, imageOf } from "./chip-model.ts";
import { answer, type Host, hostWith, type Published, publish, Updating } from "./updating.ts";

const kinds = [
  "good",
  "deaf",
  "crash",
  "older",
  "unsigned",
  "flipped",
  "model",
  "swarm",
  "large",
  "torn",
  "none",
] as const;
type Kind = (typeof kinds)[number];

interface Step {
  readonly kind: Kind;
  readonly kilobytes: number;
  /** What may be spent until the power fails, from one failure to the next. */
  readonly cuts: readonly number[];
  /** Another release is given in mid-way, and then this one. */
  readonly detourAfterMs: number | undefined;
}

const steps: fc.Arbitrary<Step> = fc.record({
  kind: fc.constantFrom(...kinds),
  kilobytes: fc.integer({ min: 1, max: 90 }),
  cuts: fc.array(fc.integer({ min: 0, max: 60_000 }), { maxLength: 2 }),
  detourAfterMs: fc.option(fc.integer({ min: 0, max: 4_000 }), { nil: undefined }),
});

test("whatever happens, it runs the last release that works, and says so", () => {
  fc.assert(
    fc.property(fc.array(steps, { minLength: 1, maxLength: 7 }), fc.nat(), (plan, seed) => {
      const random = new Random(seed).next;
      const published: Published[] = [];
      const board = new Updating(ChipModel.flashed(imageOf("0", "good", 8), 24), [faulty(hostWith2, random)]);
      function hostWith2(want: Want, nowMs: number): Uint8Array[] {
        return hostWith(...published)(want, nowMs);
      }
      let runs = 0;
      for (const [i, step] of plan.entries()) {
        const sequence = i + 1;
        const wanted = publishedAs(step, sequence, published, runs);
        if (wanted !== undefined) published.push(wanted);
        if (step.detourAfterMs !== undefined) {
          const detour = publish(imageOf(`detour ${i}`, "good", 60), sequence, { sequence: 1000 });
          published.push(detour);
          board.give(detour);
          // Not long enough to take it.
          board.run(board.nowMs + Math.min(step.detourAfterMs, 500));
        }
        if (wanted === undefined) board.put("covey/release/esp32c3-devkit", undefined);
        else board.give(wanted);
        cutThrough(board, step.cuts);
        const works = step.kind === "good" && wanted!.release.sequence > runs;
        if (works) runs = wanted!.release.sequence;
        expect(board.health.sequence, board.lines.join("\n")).toBe(runs);
        expect(board.runs!.name).toBe(`${runs}`);
        expect(board.health.stage).toBe(stageOf(step.kind));
      }
    }),
    { numRuns: Number(process.env.COVEY_LIVES ?? 60) },
  );
}, 300_000);

function stageOf(kind: Kind): string {
  if (kind === "good" || kind === "none") return "steady";
  return kind === "deaf" || kind === "crash" || kind === "torn" ? "rolled-back" : "refused";
}

function publishedAs(
  { kind, kilobytes }: Step,
  sequence: number,
  before: readonly Published[],
  runs: number,
): Published | undefined {
  const good = imageOf(`${sequence}`, "good", kilobytes);
  switch (kind) {
    case "none":
      return undefined;
    case "deaf":
    case "crash":
      return publish(imageOf(`${sequence}`, kind, kilobytes), sequence);
    case "good":
      return publish(good, sequence);
    case "torn":
      return publish(
        good.map((byte, at) => (at === good.length - 40 ? byte ^ 1 : byte)),
        sequence,
      );
    case "model":
      return publish(good, sequence, { model: "esp32-devkit" });
    case "swarm":
      return publish(good, sequence, { swarm: "another" });
    case "large":
      return publish(good, sequence, { sizeBytes: 24 * 4096 + 1 });
    case "older": {
      // A host plays an old statement of the root again; if there is none, one that the root never made.
      const old = before.find(({ release }) => release.sequence < runs);
      return old ?? withSignature(publish(good, sequence), (signature) => signature.fill(0));
    }
    case "unsigned":
      return withSignature(publish(good, sequence), (signature) => signature.fill(1));
    case "flipped":
      return withSignature(publish(good, sequence), (signature) => signature.reverse());
  }
}

function withSignature(published: Published, change: (signature: Uint8Array) => void): Published {
  const signed = published.signed.slice();
  change(signed.subarray(signed.length - 64));
  return { ...published, signed };
}

function cutThrough(board: Updating, cuts: readonly number[]): void {
  for (const power of cuts) {
    board.chip.flash.power = power;
    for (let life = 0; life < 30 && board.chip.flash.power < Infinity; life++) {
      if (board.live() === "quiet") break;
    }
    board.chip.flash.power = Infinity;
  }
  board.run();
}

/** What may happen on the way. */
function faulty(host: Host, random: () => number): Host {
  return (want, nowMs) => {
    let answers = host(want, nowMs);
    if (random() < 0.05) return [answer(want.image, want.chunk, undefined)];
    if (random() < 0.1) answers = answers.filter(() => random() < 0.5);
    if (random() < 0.1) answers = [...answers].reverse();
    if (random() < 0.1) answers = answers.flatMap((each) => [each, each]);
    if (random() < 0.1) answers = answers.flatMap((each) => [forged(each, random), each]);
    else if (random() < 0.05) answers = answers.map((each) => forged(each, random));
    return answers;
  };
}

function forged(payload: Uint8Array, random: () => number): Uint8Array {
  const { image, chunk, bytes } = chunkFromWire(decodeCbor(payload));
  if (bytes === undefined) return payload;
  const changed = bytes.slice();
  changed[Math.floor(random() * changed.length)]! ^= 1 + Math.floor(random() * 255);
  return answer(image, chunk, changed);
}
