import { chmod, mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import {
  BuildFailed,
  type BuildProgress,
  buildXsHost,
  NoCompiler,
} from "../../../../host-tools/simulator/xs-host/build.ts";
import { compileModule } from "../../../../host-tools/simulator/xs-host/bytecode.ts";
import { XsProcess } from "../../../../host-tools/simulator/xs-host/process.ts";
import { BUILD_TIMEOUT_MS } from "./probe.ts";

let directory: string;
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), "covey-build-"));
});
afterEach(() => rm(directory, { recursive: true, force: true }));

/** A compiler of our own making: a shell script in front of the real one, which is told to hurry. */
async function compilerThat(does: string): Promise<NodeJS.ProcessEnv> {
  const path = join(directory, "cc");
  await writeFile(path, `#!/bin/sh\n${does}\nexec cc "$@" -O0\n`);
  await chmod(path, 0o755);
  return { ...process.env, CC: path, COVEY_CACHE: join(directory, "cache") };
}

test("without a compiler says so by its class", async () => {
  await expect(buildXsHost({ environment: { ...process.env, CC: join(directory, "none") } })).rejects.toThrow(
    NoCompiler,
  );
});

test(
  "a compile that fails is one sentence, with the log's place, and leaves nothing half built",
  async () => {
    const environment = await compilerThat(
      'for word in "$@"; do case "$word" in *xsRun.c) echo "xsRun.c:1:1: error: no space left" >&2; exit 1;; esac; done',
    );
    const failure = await buildXsHost({ environment }).catch((error: unknown) => error);
    expect(failure).toBeInstanceOf(BuildFailed);
    const { message, logFile } = failure as BuildFailed;
    expect(message).toBe(
      `building the XS host failed at xsRun.c: xsRun.c:1:1: error: no space left; the compiler's whole output is in ${logFile}`,
    );
    expect(await readFile(logFile, "utf8")).toContain("no space left");
    expect((await readdir(join(directory, "cache"))).filter((name) => !name.endsWith(".log"))).toEqual([]);
  },
  BUILD_TIMEOUT_MS,
);

test(
  "where 32-bit can't be built the host is 64-bit, says so, and runs; two first starts at once build once",
  async () => {
    const log = join(directory, "compiled");
    const environment = await compilerThat(
      `for word in "$@"; do case "$word" in -m32) exit 1;; *.c) echo "$word" >> ${log};; esac; done`,
    );
    const progress: BuildProgress[] = [];
    const watched: BuildProgress[] = [];
    const [host, other] = await Promise.all([
      buildXsHost({ environment, onProgress: (step) => progress.push(step) }),
      buildXsHost({ environment, onProgress: (step) => watched.push(step) }),
    ]);
    expect(other).toEqual(host);
    const compiled = (await readFile(log, "utf8")).split("\n");
    expect(compiled.filter((path) => path.endsWith("/xsRun.c"))).toHaveLength(1);
    expect(Math.min(progress.length, watched.length)).toBeGreaterThan(1);
    expect(host.slotBytes).toBe(32);
    expect(host.note).toContain("heap figures are not the chip's");
    // One of the two built, and tells of the end; the other watched.
    expect(Math.max(...[...progress, ...watched].map(({ percent }) => percent))).toBe(100);
    expect(progress.map(({ percent }) => percent)).toEqual(
      progress.map(({ percent }) => percent).toSorted((a, b) => a - b),
    );

    const board = new XsProcess({
      host,
      core: await compileModule(host, "core", "export class A { #n = 1; get n() { return ++this.#n; } }"),
      main: await compileModule(
        host,
        "main",
        'import { A } from "core"; const a = new A(); host.turn = () => a.n;',
      ),
      onCall: (request) => request,
    });
    expect((await board.turn(0)).nextDeadlineMs).toBe(2);
    const { nextDeadlineMs, heap } = await board.turn(1);
    expect(nextDeadlineMs).toBe(3);
    expect(heap).toMatchObject({ slotBytes: 32, arenaBytes: 2 * 94_208 });
    await board.stop();

    expect((await readdir(join(directory, "cache"))).filter((name) => name.includes("building"))).toEqual([]);
  },
  BUILD_TIMEOUT_MS,
);
