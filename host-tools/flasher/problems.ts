/** What stops a flasher: each trouble with its own sentence that says what to do, and what the board holds after it. */

export type ProblemCode =
  | "no-board"
  | "several-boards"
  | "no-port"
  | "no-permission"
  | "port-busy"
  | "wrong-boot-mode"
  | "no-answer"
  | "unknown-chip"
  | "secure-chip"
  | "refused"
  | "unplugged"
  | "interrupted"
  | "unsteady"
  | "no-power"
  | "worn-flash"
  | "no-image"
  | "other-board";

/** What is in the flash now: as it was before; something that does not boot; or a program that does not know whose it is. The next run finishes both. */
export type BoardState = "unchanged" | "half-written" | "half-provisioned";

export class FlashProblem extends Error {
  override readonly name = "FlashProblem";
  readonly code: ProblemCode;
  readonly board: BoardState;
  /** A sentence each, where there are several. */
  readonly problems: readonly string[];

  constructor(code: ProblemCode, problems: string | readonly string[], board: BoardState = "unchanged") {
    const all = typeof problems === "string" ? [problems] : problems;
    super(all.join("\n"));
    this.code = code;
    this.board = board;
    this.problems = all;
  }
}

/** The port went away under way. */
export class PortLost extends Error {
  override readonly name = "PortLost";
}

export const problem = {
  noBoard: () =>
    new FlashProblem(
      "no-board",
      "No board is attached: plug one in with a USB cable that carries data, or name its port with --port.",
    ),
  severalBoards: (ports: readonly string[]) =>
    new FlashProblem(
      "several-boards",
      `${ports.length} boards are attached: name one with --port (${ports.join(", ")}), or take each with --all.`,
    ),
  noPort: (port: string) =>
    new FlashProblem(
      "no-port",
      `There is no port ${port}: plug the board in, or look what its port is called.`,
    ),
  unreachable: (port: string, reason: string) =>
    new FlashProblem(
      "no-port",
      `${port} can't be reached (${reason}): see that its serial server runs there and that address and port are right.`,
    ),
  noPermission: (port: string) =>
    new FlashProblem(
      "no-permission",
      `You may not open ${port}: on Linux add yourself to its group with "sudo usermod -aG dialout $USER", log in again, and run the same command again.`,
    ),
  portBusy: (port: string) =>
    new FlashProblem(
      "port-busy",
      `${port} is held by another program: close the monitor or editor that has it open, and run the same command again.`,
    ),
  wrongBootMode: (port: string) =>
    new FlashProblem(
      "wrong-boot-mode",
      `The board on ${port} started its program and not its loader: hold its BOOT button, press and let go RESET, let go BOOT, and run covey flash again.`,
    ),
  noAnswer: (port: string) =>
    new FlashProblem(
      "no-answer",
      `Nothing answers on ${port}: see that it is the board's port and that the board has power; then hold its BOOT button, press and let go RESET, let go BOOT, and run covey flash again.`,
    ),
  unknownChip: (port: string, what: string) =>
    new FlashProblem(
      "unknown-chip",
      `The chip on ${port} is none that Covey flashes (${what}): those are ESP32, S2, S3, C3, C6 and H2.`,
    ),
  secureChip: (port: string, locks: readonly string[], act: "written" | "read") =>
    new FlashProblem(
      "secure-chip",
      `The board on ${port} has ${locks.join(" and ")} on, so it is not ${act} over this port, which could make it useless for ever: give it signed firmware over the air.`,
    ),
  unplugged: (port: string, board: BoardState) =>
    new FlashProblem(
      "unplugged",
      board !== "unchanged"
        ? `${port} went away half-way: the board is ${halves[board]}. Plug it in and run the same command again, which writes only what is missing.`
        : `${port} went away before anything was written: plug the board in and run the same command again.`,
      board,
    ),
  interrupted: (port: string, board: BoardState) =>
    new FlashProblem(
      "interrupted",
      board !== "unchanged"
        ? `Stopped half-way: the board on ${port} is ${halves[board]}. Run the same command again, which writes only what is missing.`
        : `Stopped; nothing was written to the board on ${port}.`,
      board,
    ),
  unsteady: (port: string, attempts: number, reason: string, board: BoardState) =>
    new FlashProblem(
      "unsteady",
      `The connection on ${port} broke ${attempts} times, at last at ${slowestBaud} bit/s (${reason}): try another cable, another USB socket, or a hub with its own power.${finishing(board)}`,
      board,
    ),
  noPower: (port: string, attempts: number, board: BoardState) =>
    new FlashProblem(
      "no-power",
      `The board on ${port} restarted ${attempts} times because its supply gave way (brown-out): use a shorter cable, another USB socket, or a supply of its own.${finishing(board)}`,
      board,
    ),
  wornFlash: (
    port: string,
    region: string,
    offset: number,
    board: "half-written" | "half-provisioned" = "half-written",
  ) =>
    new FlashProblem(
      "worn-flash",
      `The flash of the board on ${port} does not keep what is written at 0x${offset.toString(16)} (${region}), tried ${verifyAttempts} times: its flash is worn out or badly soldered; use another board. It is ${halves[board]}.`,
      board,
    ),
} as const;

export const slowestBaud = 115_200;
/** How often what does not verify is written again. */
export const verifyAttempts = 3;

/** What is to be said of a board that is not as it was. */
export function finishing(board: BoardState): string {
  return board === "unchanged"
    ? ""
    : ` The board is ${halves[board]}; the next run writes only what is missing.`;
}

const halves = {
  "half-written": "half-written and does not start",
  "half-provisioned": "half-provisioned and does not know who it is",
} as const;
