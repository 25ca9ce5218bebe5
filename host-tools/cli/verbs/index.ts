/** Every verb, in the order in which `covey --help` lists them. */
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
export const verbs: readonly Verb<any>[] = [
  init,
  sim,
  lead,
  status,
  get,
  set,
  act,
  log,
  alerts,
  members,
  task,
  register,
  replace,
  recover,
  checkpoint,
  keys,
  exportReadings,
  keep,
  query,
  model,
  boards,
  build,
  flash,
  provision,
  improv,
  update,
  move,
  image,
  monitor,
  doctor,
  raftShell,
];
