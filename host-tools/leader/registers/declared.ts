/** The registers of `swarm.ts` as the group of members knows them. */
import type { RegisterDefinition, RegisterState, RegisterValue } from "../../../protocols/paxos/types.ts";
import type { RegisterDefinition as Declared } from "../../swarm-file/definition.ts";

export function registersToWire(names: Readonly<Record<string, Declared>>): RegisterDefinition[] {
  return Object.entries(names).map(([name, declared]) => registerOf(name, declared));
}

/** With which it begins. */
export function initialState(declared: Declared): RegisterState {
  return { version: 0, value: initialValue(declared), by: "", request: 0, atMs: 0 };
}

export function initialValue(declared: Declared): RegisterValue {
  return declared.type === "coordinator" ? "" : declared.initial;
}

function registerOf(name: string, declared: Declared): RegisterDefinition {
  const limits = { min: 0, max: 0 };
  switch (declared.type) {
    case "boolean":
      return { name, kind: "flag", ...limits };
    case "number":
      return { name, kind: "number", min: declared.min, max: declared.max };
    default:
      return { name, kind: declared.type, ...limits };
  }
}
