/** What can be simulated, and how a run of it is judged. */
import type { Schedule } from "./schedule.ts";

export interface Engine<S extends Schedule = Schedule> {
  readonly name: string;
  schedule(seed: number): S;
  /** Figures of the run by name. Throws the first thing that is wrong. */
  run(schedule: S, watching: Watching): Readonly<Record<string, number>>;
}

export interface Watching {
  /** Told what happens, for people. */
  readonly onNote?: (atMs: number, text: string) => void;
  /** Given the history of the clients, right or wrong, if the engine has clients. */
  readonly onHistory?: (text: string) => void;
}

/** What kind of failure this is: two runs with the same word failed in the same way. */
export function failureWord(error: unknown): string {
  return (error as { property?: string }).property ?? (error as Error).name ?? "error";
}
