/** The registers of `swarm.ts` as the group of members knows them. */
import type { DeclaredRegister } from "../../../protocols/paxos/succession.ts";
import type { RegisterDefinition } from "../../../protocols/paxos/types.ts";
import type { RegisterDefinition as Declared } from "../../swarm-file/definition.ts";

/** By name: in which order somebody writes them is no difference. */
export function declaredRegisters(names: Readonly<Record<string, Declared>>): DeclaredRegister[] {
  return Object.entries(names)
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([name, declared]) => ({
      definition: definitionOf(name, declared),
      initial: declared.type === "coordinator" ? "" : declared.initial,
    }));
}

function definitionOf(name: string, declared: Declared): RegisterDefinition {
  switch (declared.type) {
    case "boolean":
      return { name, kind: "flag", min: 0, max: 0 };
    case "number":
      return { name, kind: "number", min: declared.min, max: declared.max };
    default:
      return { name, kind: declared.type, min: 0, max: 0 };
  }
}
