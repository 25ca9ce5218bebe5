/** What `/api/releases` and `/api/images` take and answer. */

import type { RootOfSwarm } from "./root.ts";
import type { BoardFirmware, BoardStatus } from "./status.ts";

/** Answer of `GET /api/releases`. */
export interface Releases extends RootOfSwarm {
  /** The highest sequence that was ever agreed on, of all kinds of boards; 0 for none. */
  readonly sequence: number;
  /** First those for all boards of a kind. */
  readonly releases: readonly ReleaseStatus[];
  /** Those that whoever asks may read, in the order of `swarm.ts`. */
  readonly boards: readonly BoardUpdate[];
}

/** A release that the swarm has agreed on. */
export interface ReleaseStatus {
  /** The kind of board. */
  readonly model: string;
  /** The board that it is for; undefined for all of its kind that have no release of their own. */
  readonly board: string | undefined;
  readonly sequence: number;
  /** For people: `0.2.0`. */
  readonly firmware: string;
  readonly sizeBytes: number;
  /** Hexadecimal: of the image's first chunk. */
  readonly digest: string;
  /** Log index of the entry that says so. */
  readonly index: number;
  /** Names of the hosts that have the image and are connected to the one that answers. */
  readonly hosts: readonly string[];
}

export interface BoardUpdate {
  readonly id: string;
  readonly model: string;
  readonly link: "up" | "down";
  readonly role: BoardStatus["role"];
  readonly firmware: BoardFirmware | undefined;
  /** Sequence of the release that it is to run; 0 for none. */
  readonly target: number;
}

/** Body of `POST /api/releases`. */
export interface ReleaseRequest {
  /** As the root signed it, base64url. */
  readonly release: string;
  /** At most `releaseBoardsMax` names; undefined for all boards of the release's kind. */
  readonly boards?: readonly string[];
}

export const releaseBoardsMax = 64;

export interface ReleaseAgreed {
  readonly model: string;
  readonly sequence: number;
  readonly firmware: string;
  /** Names of the boards that are to run it. */
  readonly boards: readonly string[];
}

export interface ImageTaken {
  /** Hexadecimal. */
  readonly digest: string;
  readonly sizeBytes: number;
}

/** With an image: its release as the root signed it, base64url. */
export const releaseHeader = "covey-release";
