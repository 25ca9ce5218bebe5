/** Every verb, in the order in which `covey --help` lists them. */
import type { Verb } from "../verb.ts";

// biome-ignore lint/suspicious/noExplicitAny: each verb knows its own options; the list does not care
export const verbs: readonly Verb<any>[] = [];
