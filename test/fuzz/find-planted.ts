/** Run by `fuzzer.test.ts` in a process of its own, because vitest changes what it loads: prints the finding's input as hex. */
import { CoverageRecorder } from "./coverage.ts";

const coverage = new CoverageRecorder((url) => url.endsWith("/planted-decoder.ts"));
const { decode } = await import("./planted-decoder.ts");
const { Fuzzer } = await import("./fuzzer.ts");
const { randomOf } = await import("./random.ts");

const target = { name: "planted", covers: [], seeds: [], errors: [], decode };
const fuzzer = new Fuzzer(target, coverage, randomOf(Number(process.argv[2])));
fuzzer.begin();
while (fuzzer.runs < 2_000_000 && fuzzer.findings.length === 0) fuzzer.batch();
const found = fuzzer.findings.map(({ input }) => Buffer.from(input).toString("hex"));
console.log(JSON.stringify({ found, runs: fuzzer.runs }));
