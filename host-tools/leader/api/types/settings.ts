/** What `/api/settings` takes and answers. */
import type { SettingDefinition } from "../../../swarm-file/definition.ts";

export interface Setting {
  readonly value: number | string | boolean;
  readonly unit: string;
  /** Log index of the entry that set it; 0 while it has its initial value and nothing was committed. */
  readonly index: number;
  /** Its type and limits, as `swarm.ts` defines them. */
  readonly takes: SettingDefinition;
}

export interface SetResult {
  readonly key: string;
  readonly value: number | string | boolean;
  readonly index: number;
  /** undefined for a command that was carried out so long ago that the log no longer holds it. */
  readonly term: number | undefined;
}

/** Body of `PUT /api/settings/KEY`. */
export interface SetRequest {
  readonly value: unknown;
  /** Set only if this is the value at present. */
  readonly expected?: unknown;
}
