/** `covey doctor`: what this machine lacks, and the command that mends it. */
import { Option } from "commander";
import { port } from "../option-values.ts";
import { installCommand, type Requirement, requirements, type Surroundings } from "../requirements.ts";
import type { Terminal } from "../terminal.ts";
import type { Verb } from "../verb.ts";

interface DoctorOptions {
  readonly state: string;
  readonly httpPort: number;
  readonly mqttPort: number;
}

interface Diagnosis {
  readonly id: string;
  readonly name: string;
  readonly ok: boolean;
  /** `covey sim` does not run without it. */
  readonly needed: boolean;
  readonly detail: string;
  readonly usedFor: string;
  /** undefined where nothing needs mending. */
  readonly remedy: string | undefined;
}

export const doctor: Verb<DoctorOptions> = {
  usage: "doctor",
  summary: "show what this machine lacks, and the command that mends it",
  details: "Exits 1 only when covey sim cannot run at all; what is merely useful has a way around it.",
  examples: ["covey doctor", "covey doctor --json"],
  options: [
    new Option("--state <folder>", "where the swarms' state is kept").default(".covey"),
    new Option("--http-port <port>", "the port to look at").argParser(port).default(7800),
    new Option("--mqtt-port <port>", "the port to look at").argParser(port).default(7883),
  ],
  async run(terminal, { state, httpPort, mqttPort }) {
    const surroundings = { environment: process.env, stateFolder: state, httpPort, mqttPort };
    const diagnoses = await Promise.all(requirements.map((each) => diagnose(each, surroundings)));
    for (const diagnosis of diagnoses) show(diagnosis, terminal);
    const ok = diagnoses.every((each) => each.ok || !each.needed);
    terminal.result({ ok, requirements: diagnoses });
    return ok ? 0 : 1;
  },
};

async function diagnose(requirement: Requirement, surroundings: Surroundings): Promise<Diagnosis> {
  const { id, name, needed, usedFor, packages } = requirement;
  const { ok, detail, remedy } = await requirement.check(surroundings);
  const install = packages.length === 0 ? undefined : installCommand(packages);
  return { id, name, ok, needed, detail, usedFor, remedy: ok ? undefined : (remedy ?? install) };
}

function show({ ok, needed, name, detail, usedFor, remedy }: Diagnosis, terminal: Terminal): void {
  const mark = ok
    ? terminal.style("green", "ok     ")
    : needed
      ? terminal.style("red", "missing")
      : terminal.style("yellow", "warn   ");
  terminal.line(`${mark}  ${name.padEnd(18)}  ${detail}`);
  if (ok) return;
  const indent = " ".repeat(29);
  terminal.line(terminal.style("dim", `${indent}for ${usedFor}`));
  if (remedy !== undefined) terminal.line(`${indent}${remedy}`);
}
