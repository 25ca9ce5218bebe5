/**
 * Boards of a committed action that somebody has said to be lost for good.
 *
 * Two-phase commit waits for each board to tell its outcome, and a board that burnt never does. Only a person can know that, so a person says it, and the log keeps who. From then on
 * the action ends without that board, and another may have its outputs. Should the board come back after all, its own copy of the log tells it: it acts no more, lets go of
 * what it had promised, and tells what it had done before. Then it is given up no longer: what it did is known.
 */
import { shortenedUtf8 } from "../text/utf8.ts";
import { type Action, actionLimits, type GivenUp } from "./action.ts";
import { packedHas, packNames, unpackNames } from "./names.ts";

export function isGivenUp({ givenUp }: Pick<Action, "givenUp">, board: string): boolean {
  for (let i = 0; i < givenUp.length; i++) if (packedHas(givenUp[i]!.boards, board)) return true;
  return false;
}

/** Who gave the board up; undefined for nobody. */
export function giverOf({ givenUp }: Pick<Action, "givenUp">, board: string): string | undefined {
  return givenUp.find(({ boards }) => packedHas(boards, board))?.by;
}

export function givenUpNames({ givenUp }: Pick<Action, "givenUp">): string[] {
  return givenUp.flatMap(({ boards }) => unpackNames(boards));
}

/** `action`, which is committed and has not ended, without `boards`, which are of it. At most `giversMax` do so by their own name. */
export function withGivenUp(action: Action, boards: readonly string[], by: string): Action {
  const isFull = action.givenUp.length === actionLimits.giversMax;
  const name = isFull ? action.givenUp.at(-1)!.by : shortenedUtf8(by, actionLimits.giverBytesMax);
  const before = action.givenUp.find((one) => one.by === name);
  const earlier = before === undefined ? [] : unpackNames(before.boards);
  const mine = { by: name, boards: packNames([...earlier, ...boards]) };
  const others = action.givenUp.filter((one) => one !== before);
  const left = unpackNames(action.boards).filter((board) => !boards.includes(board));
  // Whoever still has to act has promised: what was required is of no more use, and the entry has a maximum.
  return { ...action, require: [], boards: packNames(left), givenUp: [...others, mine] };
}

/** `action`, which has ended, now that it is known what `boards` did: `astray` of them did not act. */
export function withReturned(action: Action, boards: readonly string[], astray: readonly string[]): Action {
  const givenUp: GivenUp[] = [];
  for (const one of action.givenUp) {
    const left = unpackNames(one.boards).filter((board) => !boards.includes(board));
    if (left.length > 0) givenUp.push({ by: one.by, boards: packNames(left) });
  }
  return { ...action, boards: packNames([...unpackNames(action.boards), ...astray]), givenUp };
}
