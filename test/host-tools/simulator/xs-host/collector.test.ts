/**
 * The collector over preloaded memory: the same program, on a board in a small arena that is collected all the time,
 * and in Node. Whatever a retagged slot, an alias or a moved chunk would spoil shows as a difference or a fault.
 */
import { beforeAll, expect, test } from "vitest";
import { compileModule } from "../../../../host-tools/simulator/xs-host/bytecode.ts";
import { XsProcess } from "../../../../host-tools/simulator/xs-host/process.ts";
import { BUILD_TIMEOUT_MS, sharedHost } from "./probe.ts";

beforeAll(sharedHost, BUILD_TIMEOUT_MS);

const CORE = `
  export const words = Object.freeze(["alpha", "beta", "gamma", "delta"]);
  export const weights = new Float64Array([0.5, 1.5, 2.5, 3.5]);
  export const codes = new Map([["alpha", 1], ["beta", 2n], ["gamma", "three"]]);
  export const log = [];
  export let total = 0;
  export const mark = Symbol("mark");
  export class Node { #next = null; constructor(v) { this.v = v; } link(n) { this.#next = n; return this; } get next() { return this.#next; } }
  export class Tally extends Map { add(k) { this.set(k, (this.get(k) ?? 0) + 1); return this; } }
  export class Odd extends Error { constructor(n) { super("odd " + n); this.n = n; } }
  export function* walk(node) { for (; node; node = node.next) yield node.v; }
  export const later = async (v) => { await null; total += v; return v; };
  export const scale = (() => { let factor = 1; return (v) => (factor = (factor * 31 + v) % 1009); })();
  export function note(x) { log.push(x); if (log.length > 20) log.splice(0, 10); total++; }
`;

/** step(random) -> text; uses everything of the core. `random` is a function giving integers below its argument. */
const PROGRAM = `
  const tally = new Tally();
  const kept = [];
  let pending = 0;
  const step = (random) => {
    let head = null;
    for (let i = random(12); i >= 0; i--) head = new Node(words[random(4)] + i).link(head);
    const parts = [...walk(head)];
    for (const part of parts) tally.add(part.slice(0, 4));
    if (tally.size > 30) tally.clear();
    kept.push({ parts, [mark]: weights[random(4)], big: 2n ** BigInt(random(90)), at: new Uint16Array(random(20)).fill(random(999)) });
    if (kept.length > 15) kept.splice(random(10), 5);
    kept.sort((a, b) => a.parts.length - b.parts.length || (a.parts[0] < b.parts[0] ? -1 : a.parts[0] > b.parts[0] ? 1 : 0));
    note(parts.join("+"));
    later(random(5)).then((v) => { pending += v; });
    let odd = "";
    try { if (random(2)) throw new Odd(random(100)); } catch (e) { odd = e.message + (e instanceof Odd); }
    const json = JSON.stringify(kept.map((k) => ({ n: k.parts.length, w: k[mark], b: String(k.big), s: k.at.length })));
    const again = JSON.parse(json).reduce((sum, k) => sum + k.n + k.w, 0);
    return [scale(random(50)), again, total, pending, odd, log.length, log[log.length - 1], String(codes.get(words[random(4)])),
      [...tally].map(([k, v]) => k + v).join(), kept.map((k) => String(k.big) + k.at.join("")).join().length].join("|");
  };
`;

const RANDOM = `
  let seed = 12345;
  const random = (below) => { seed = (Math.imul(seed, 1103515245) + 12345) >>> 0; return (seed >>> 8) % below; };
`;

const STEPS = 400;

async function inNode(): Promise<string[]> {
  const source = `${CORE.replaceAll("export ", "")}${RANDOM}${PROGRAM}export { step, random };`;
  const { step, random } = await import(`data:text/javascript,${encodeURIComponent(source)}`);
  const lines: string[] = [];
  for (let i = 0; i < STEPS; i++) {
    lines.push(step(random));
    await new Promise((resolve) => setImmediate(resolve)); // as at the end of a turn
  }
  return lines;
}

test("a board in a small arena computes what Node computes", async () => {
  const host = await sharedHost();
  const names = [...CORE.matchAll(/export (?:class|const|let|function\*?) (\w+)/g)].map((match) => match[1]!);
  const lines: string[] = [];
  const board = new XsProcess({
    host,
    core: await compileModule(host, "core", CORE),
    main: await compileModule(
      host,
      "main",
      `import { ${names.join(", ")} } from "core"; ${RANDOM} ${PROGRAM}
       host.turn = (message) => {
         if (!message) return;
         const text = step(random);
         const bytes = new Uint8Array(text.length);
         for (let i = 0; i < text.length; i++) bytes[i] = text.charCodeAt(i);
         host.call(bytes);
       };`,
    ),
    arenaBytes: 48 * 1024,
    onCall: (bytes) => {
      lines.push(Buffer.from(bytes).toString("latin1"));
      return new Uint8Array(0);
    },
  });
  await board.turn(0);
  let collections = 0;
  for (let i = 0; i < STEPS; i++) collections = (await board.turn(i, new Uint8Array(1))).heap.collections;
  await board.stop();
  expect(lines).toEqual(await inNode());
  expect(collections).toBeGreaterThan(STEPS / 4);
});
