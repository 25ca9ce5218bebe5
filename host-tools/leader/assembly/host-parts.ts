/** All parts of a host. */
import type { Agreement } from "./agreement.ts";
import type { BoardSide } from "./board-side.ts";
import type { Ground } from "./ground.ts";
import type { HostSide } from "./host-side.ts";
import type { PublicSide } from "./public-side.ts";

/**
 * Parts refer to each other in circles: what is agreed on is told to boards, and what boards tell is agreed on. So each step of the assembly is given what there is
 * already, and beside that the whole host, of which it may only make use later, when something arrives.
 */
export interface HostParts extends Ground, Agreement, BoardSide, HostSide, PublicSide {}
