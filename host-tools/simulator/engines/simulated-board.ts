/**
 * One board that is powered on, whatever engine runs it.
 */
import type { AppInFlash } from "../chip/app-in-flash.ts";
import type { SimulatedWorld } from "../world/simulated-world.ts";

export type EngineName = "xs" | "virtual";

/** From the engine itself, at the end of the board's last turn. */
export interface EngineFigures {
  /** Bytes of a slot, the unit of XS's heap: 16 as on the chip, 32 in a 64-bit build, 0 where the engine is not XS. */
  readonly slotBytes: number;
  readonly arenaBytes: number;
  readonly heapUsedBytes: number;
  readonly heapPeakBytes: number;
}

/** Why a board is no longer running. */
export interface BoardEnd {
  /**
   * `failure`: the engine or the firmware gave up. `watchdog`: it was in one turn for too long. `killed`: somebody else ended its
   * process. `power-off`: as told.
   */
  readonly cause: "power-off" | "killed" | "failure" | "watchdog";
  /** What happened, for a sentence that begins with the board's name: `ran out of memory`. */
  readonly text: string;
}

export interface SimulatedBoard {
  readonly engine: EngineName;
  /** The board's own process; undefined where it shares the simulator's. */
  readonly pid: number | undefined;
  readonly figures: EngineFigures;
  /** Resolves when what beginning costs the computer is over: the first turn, however it went; never rejects. */
  readonly begun: Promise<void>;
  /** Resolves once, when the board runs no more; never rejects. */
  readonly ended: Promise<BoardEnd>;
  /** Takes the power away, without warning, as a plug that is pulled; resolves when nothing of the board is left. */
  powerOff(): Promise<void>;
}

/** An engine, made ready once; boards are then switched on in it. */
export interface Engine {
  readonly name: EngineName;
  /** For people: `XS, 32-bit`. */
  readonly description: string;
  /** Tells Covey's own firmware from others, as an image's SHA-256 does. */
  readonly ownFirmware: Uint8Array;
  /**
   * Switches a board on, with the app that lies in its flash or with Covey's own firmware. The world is the board's alone, and the engine
   * powers it off when the board ends. @throws {UnsuitableApp}
   */
  powerOn(world: SimulatedWorld, ram: BoardRam, app?: AppInFlash): SimulatedBoard;
}

/** The app in a board's flash is sound, and this engine can't run it; the message continues a sentence that begins with the board's name. */
export class UnsuitableApp extends Error {
  override readonly name = "UnsuitableApp";
}

/** What a model of board has for JavaScript: see `boards/`. */
export interface BoardRam {
  readonly arenaBytes: number;
  readonly stackSlots: number;
}
