/** The order of the tests' files: the slowest first, so that no worker is left with a long one when the others have nothing more to do. */
import { existsSync } from "node:fs";
import { join, relative } from "node:path";
import { BaseSequencer, type TestSpecification } from "vitest/node";

/** What takes more than a minute on CI's two cores; the longest first. */
const slowest = [
  "test/end-to-end/moving-house.test.ts",
  "test/bench/board-budget.test.ts",
  "test/end-to-end/box-to-board.test.ts",
  "test/host-tools/cli/provision.test.ts",
  "test/end-to-end/update.test.ts",
  "test/simulation/raft/deliberate-faults/deliberate-faults.test.ts",
];

const project = join(import.meta.dirname, "..");

/** Vitest's own order but for these: its knowledge of the last run, which CI does not have, then the largest files first. */
export class SlowestFirst extends BaseSequencer {
  /** @throws {Error} when a file of the list is no more: then its line is to follow it */
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    for (const path of slowest) {
      if (!existsSync(join(project, path)))
        throw new Error(`test/slowest-first.ts names ${path}, which is not there.`);
    }
    const others = await super.sort(files);
    const first = slowest.flatMap((path) =>
      others.filter((file) => relative(project, file.moduleId) === path),
    );
    return [...first, ...others.filter((file) => !first.includes(file))];
  }
}
