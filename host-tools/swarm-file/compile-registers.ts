/** Checks and compiles the registers of a swarm: who agrees, and on what. */
import { groupFitsEntry } from "../../protocols/paxos/group.ts";
import { registerLimits } from "../../protocols/paxos/types.ts";
import { declaredRegisters } from "../leader/registers/declared.ts";
import { compileSetting } from "./compile-setting.ts";
import type { BoardDefinition, RegisterDefinition, RegistersDefinition } from "./definition.ts";
import type { Diagnostics } from "./diagnostics.ts";
import { isPart, isRecord, shown } from "./given.ts";
import type { RegisterPart } from "./parts.ts";
import { suggestion } from "./suggestion.ts";

type Wrong = (path: readonly string[], text: string) => void;

const example =
  'registers: { boards: ["a", "b", "c"], names: { emergency: register.boolean({ initial: false }) } }';

/** The names alone, which boards are checked against; undefined for none. `settings` are the keys of settings. */
export function compileRegisterNames(
  given: unknown,
  settings: readonly string[],
  diagnostics: Diagnostics,
  wrong: Wrong,
): Record<string, RegisterDefinition> | undefined {
  if (given === undefined) return undefined;
  const { names } = isRecord(given) ? given : {};
  if (!isRecord(given) || !isRecord(names) || Object.keys(names).length === 0) {
    wrong(["registers"], `registers say who agrees, and on what; write ${example}.`);
    return undefined;
  }
  const { registersMax } = registerLimits;
  const entries = Object.entries(names);
  if (entries.length > registersMax) {
    wrong(["registers", "names"], `${entries.length} registers are too many; ${registersMax} are the most.`);
  }
  const registers: Record<string, RegisterDefinition> = {};
  for (const [name, part] of entries) {
    const path = ["registers", "names", name];
    if (!isRegisterName(name)) {
      const rule = `use letters, digits and . _ - and at most ${registerLimits.nameLengthMax} of them`;
      wrong(path, `${shown(name)} cannot name a register: ${rule}.`);
    }
    if (settings.includes(name)) {
      wrong(
        path,
        `${shown(name)} is a setting and a register; hosts agree on a setting and boards on a register, so choose one or give one of them another name.`,
      );
    }
    if (isPart<RegisterPart>(part, "register")) registers[name] = compileRegister(name, part, diagnostics);
    else {
      wrong(
        path,
        `${shown(name)} is no register; write register.boolean({...}), register.number({...}), register.text({...}) or register.coordinator().`,
      );
    }
  }
  return registers;
}

/** Who agrees, once the boards are known. `names` as above. */
export function compileRegisters(
  given: unknown,
  names: Readonly<Record<string, RegisterDefinition>> | undefined,
  boards: Readonly<Record<string, BoardDefinition>>,
  wrong: Wrong,
): RegistersDefinition | undefined {
  if (!isRecord(given) || names === undefined) return undefined;
  for (const key of Object.keys(given)) {
    if (key !== "boards" && key !== "names") {
      wrong(["registers", key], `registers have no ${shown(key)}${suggestion(key, ["boards", "names"])}`);
    }
  }
  const members = memberNames(given.boards, wrong);
  for (const name of members) checkMember(name, boards, wrong);
  checkOthers(members, boards, wrong);
  const { membersMax } = registerLimits;
  if (members.length > 0 && (members.length % 2 === 0 || members.length < 3 || members.length > membersMax)) {
    wrong(
      ["registers", "boards"],
      `${members.length} boards can't agree well: choose 3, 5 or ${membersMax}, of which a majority has to be there.`,
    );
  }
  const definition = { boards: members, names };
  // As long as ids of members get.
  const longest = members.map((name) => `${name}.${"x".repeat(incarnationLengthMost)}`);
  if (
    !groupFitsEntry({
      members: longest,
      registers: declaredRegisters(names).map(({ definition }) => definition),
    })
  ) {
    wrong(
      ["registers", "names"],
      "the registers and the names of their boards do not fit an entry of the log together; take fewer texts, or shorten names.",
    );
  }
  return definition;
}

/** Of the part of a member's id that is drawn anew when a board has lost its memory. */
const incarnationLengthMost = 8;

function compileRegister(name: string, part: RegisterPart, diagnostics: Diagnostics): RegisterDefinition {
  const { site, type, given } = part;
  if (type === "coordinator") return { type };
  const { textBytesMax } = registerLimits;
  if (type === "text" && given.lengthMax !== undefined) {
    diagnostics.add(site, ["lengthMax"], `a register's text has ${textBytesMax} bytes; take lengthMax away.`);
  }
  const limits = type === "text" ? { lengthMax: textBytesMax } : {};
  const compiled = compileSetting(
    name,
    { kind: "setting", site, type, given: { ...given, ...limits } },
    diagnostics,
  );
  return compiled.type === "text" ? { type: "text", initial: compiled.initial } : compiled;
}

function memberNames(given: unknown, wrong: Wrong): string[] {
  if (!Array.isArray(given) || given.length === 0 || given.some((name) => typeof name !== "string")) {
    wrong(["registers", "boards"], `registers need the names of the boards that agree; write ${example}.`);
    return [];
  }
  const twice = given.find((name, i) => given.indexOf(name) !== i);
  if (twice !== undefined) {
    wrong(
      ["registers", "boards", twice, twice],
      `${shown(twice)} is twice among the boards of the registers.`,
    );
  }
  return [...new Set(given as string[])];
}

function checkMember(name: string, boards: Readonly<Record<string, BoardDefinition>>, wrong: Wrong): void {
  const path = ["registers", "boards", name];
  if (!Object.hasOwn(boards, name)) {
    wrong(path, `${shown(name)} is not a board of this swarm${suggestion(name, Object.keys(boards))}`);
  } else if (boards[name]!.program.sleep !== undefined) {
    wrong(
      path,
      `${shown(name)} sleeps, and who sleeps can't agree with others; choose boards that are always awake.`,
    );
  } else if (boards[name]!.place?.onBattery === true) {
    wrong(path, `${shown(name)} runs on a battery; choose boards that are always powered.`);
  }
}

/** Only members propose; and no other is ever named. */
function checkOthers(
  members: readonly string[],
  boards: Readonly<Record<string, BoardDefinition>>,
  wrong: Wrong,
): void {
  for (const [name, { program }] of Object.entries(boards)) {
    if (members.includes(name)) continue;
    const { proposals = [], rules } = program;
    const isNamed = [...rules, ...proposals].some(({ as }) => as !== undefined);
    if (proposals.length === 0 && !isNamed) continue;
    const why = proposals.length > 0 ? "a rule that proposes" : "a rule for whoever a register names";
    wrong(
      ["boards", name],
      `${shown(name)} has ${why}, and is not among the boards of the registers; add it there, or take the rule away.`,
    );
  }
}

function isRegisterName(name: string): boolean {
  return name.length <= registerLimits.nameLengthMax && /^[A-Za-z0-9._-]+$/.test(name);
}
