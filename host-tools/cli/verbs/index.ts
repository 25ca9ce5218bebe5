/** Every verb, in the groups and the order in which `covey --help` lists them. */
import type { Verb } from "../verb.ts";
import { act } from "./act.ts";
import { alerts } from "./alerts.ts";
import { boards } from "./boards.ts";
import { build } from "./build.ts";
import { checkpoint } from "./checkpoint.ts";
import { doctor } from "./doctor.ts";
import { exportReadings } from "./export.ts";
import { flash } from "./flash.ts";
import { get } from "./get.ts";
import { image } from "./image.ts";
import { improv } from "./improv.ts";
import { init } from "./init.ts";
import { keep } from "./keep.ts";
import { keys } from "./keys.ts";
import { lead } from "./lead.ts";
import { log } from "./log.ts";
import { members } from "./members.ts";
import { model } from "./model.ts";
import { monitor } from "./monitor.ts";
import { move } from "./move.ts";
import { provision } from "./provision.ts";
import { query } from "./query.ts";
import { raftShell } from "./raft-shell.ts";
import { recover } from "./recover.ts";
import { register } from "./register.ts";
import { replace } from "./replace.ts";
import { set } from "./set.ts";
import { sim } from "./sim.ts";
import { status } from "./status.ts";
import { task } from "./task.ts";
import { update } from "./update.ts";

// biome-ignore lint/suspicious/noExplicitAny: each verb knows its own options; the list does not care
type AnyVerb = Verb<any>;

/** As `covey --help` shows them: what a swarm needs first comes first. */
export const verbGroups: readonly { readonly title: string; readonly verbs: readonly AnyVerb[] }[] = [
  { title: "Run a swarm", verbs: [init, sim, lead, doctor] },
  { title: "See it and set it", verbs: [status, get, set, log, alerts] },
  { title: "Readings", verbs: [exportReadings, query, keep] },
  { title: "Act together", verbs: [act, task, register, checkpoint] },
  { title: "Who belongs and who votes", verbs: [members, replace, keys, recover] },
  {
    title: "Boards and their firmware",
    verbs: [boards, build, flash, provision, improv, monitor, update, move],
  },
  { title: "Tools", verbs: [model, image, raftShell] },
];

export const verbs: readonly AnyVerb[] = verbGroups.flatMap((group) => group.verbs);
