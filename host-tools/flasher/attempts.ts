/**
 * Work on a board that goes on when the line is bad: what broke is begun again at the next lower rate, and because the work compares before it writes, it goes on where
 * it was. What only a person can mend ends it with a sentence that says so.
 */
import { Loader } from "./loader.ts";
import { type BoardState, FlashProblem, finishing, problem, slowestBaud } from "./problems.ts";
import type { BoardPort } from "./serial/board-port.ts";

/** What the work did to the board so far; told when it ends badly. */
export interface Progressing {
  board: BoardState;
  /** What broke on this computer, and not on the line: it ends the work. */
  readonly fault?: Error | undefined;
}

/** @param baud what to begin with @param again hears why it is begun again @throws {FlashProblem} */
export async function withLoader<Result>(
  port: BoardPort,
  baud: number,
  state: Progressing,
  act: (loader: Loader, attempt: number) => Promise<Result>,
  again: (reason: string, baud: number) => void,
): Promise<Result> {
  let rate = baud;
  let gaveWay = false;
  let reason = "";
  for (let attempt = 1; attempt <= attemptsMax; attempt++) {
    let loader: Loader | undefined;
    try {
      loader = await Loader.attach(port, rate);
      return await act(loader, attempt);
    } catch (error) {
      if (port.isInterrupted) throw problem.interrupted(port.name, state.board);
      if ((error instanceof FlashProblem || state.fault !== undefined) && state.board === "unchanged") {
        // It was taken out of its program for nothing.
        await loader?.restart().catch(() => false);
      }
      if (error instanceof FlashProblem) throw ofState(error, state.board);
      if (state.fault !== undefined) throw state.fault;
      if (port.loss !== undefined) throw problem.unplugged(port.name, state.board);
      if (!isLineTrouble(error)) throw error;
      gaveWay ||= /brown-?_?out/i.test(port.heard);
      reason = error.message;
      rate = nextRate(rate);
      if (attempt < attemptsMax) again(reason, rate);
    } finally {
      await port.close();
    }
  }
  throw gaveWay
    ? problem.noPower(port.name, attemptsMax, state.board)
    : problem.unsteady(port.name, attemptsMax, reason, state.board);
}

export const attemptsMax = 5;

/** In bit/s; what bridges and chips have in common. */
export const rates = [921_600, 460_800, 230_400, slowestBaud] as const;

function nextRate(baud: number): number {
  return rates.find((rate) => rate < baud) ?? slowestBaud;
}

/** Not a fault of the program's own. */
function isLineTrouble(error: unknown): error is Error {
  return error instanceof Error && !(error instanceof TypeError) && !(error instanceof RangeError);
}

function ofState(error: FlashProblem, board: BoardState): FlashProblem {
  if (board === "unchanged" || error.board === board) return error;
  return new FlashProblem(error.code, [...error.problems, finishing(board).trim()], board);
}
