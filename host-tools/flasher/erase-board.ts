/** Erases a board's whole flash, and writes nothing into it. */
import { withLoader } from "./attempts.ts";
import { type ChipFacts, locks } from "./chip-facts.ts";
import { md5 } from "./difference.ts";
import type { Progress } from "./flash-board.ts";
import { type BoardState, problem, verifyAttempts } from "./problems.ts";
import { readAll } from "./read-board.ts";
import { BoardPort } from "./serial/board-port.ts";

export interface EraseJob {
  readonly port: string;
  /** The fastest rate to try, in bit/s. */
  readonly baud: number;
  /** Gets the whole flash as it was. */
  readonly backup: ((bytes: Uint8Array) => Promise<void>) | undefined;
  /** Erases nothing. */
  readonly dryRun: boolean;
  readonly signal: AbortSignal | undefined;
  report(progress: Progress): void;
}

export interface EraseReport {
  readonly port: string;
  readonly chip: ChipFacts;
  readonly outcome: "erased" | "planned";
}

/** @throws {FlashProblem} */
export async function eraseBoard(job: EraseJob): Promise<EraseReport> {
  const port = new BoardPort(job.port, job.signal);
  job.report({ step: "connect", note: "", done: undefined });
  const state: { board: BoardState } = { board: "unchanged" };
  let isSaved = false;
  return withLoader(
    port,
    job.baud,
    state,
    async (loader) => {
      const { facts } = loader;
      const { flashBytes, label } = facts;
      const locked = locks(facts);
      if (locked.length > 0) throw problem.secureChip(job.port, locked, "written");
      if (job.dryRun) {
        await loader.restart();
        return { port: job.port, chip: facts, outcome: "planned" };
      }
      if (job.backup !== undefined && !isSaved) {
        await job.backup(
          await readAll(loader, flashBytes, (done) => job.report({ step: "back up", note: label, done })),
        );
        isSaved = true;
      }
      const blank = md5(new Uint8Array(flashBytes).fill(0xff));
      for (let attempt = 1; (await loader.md5(0, flashBytes)) !== blank; attempt++) {
        if (attempt > verifyAttempts) throw problem.wornFlash(job.port, "the flash", 0);
        job.report({ step: "erase", note: label, done: undefined });
        state.board = "half-written";
        await loader.erase(0, flashBytes);
      }
      job.report({ step: "done", note: label, done: 1 });
      return { port: job.port, chip: facts, outcome: "erased" };
    },
    (reason, baud) =>
      job.report({
        step: "again",
        note: `${reason}; at ${baud.toLocaleString("en-US")} bit/s`,
        done: undefined,
      }),
  );
}
