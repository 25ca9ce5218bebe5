/** The word for values that a few boards agree on among themselves, hosts or not: `register`. Re-exported by `api.ts`. */
import { callSite } from "./call-site.ts";
import type { NumberSetting, RegisterPart } from "./parts.ts";

/**
 * A value that the boards of `registers` agree on by a majority of them, with no host needed: docs/registers.md. Rules and outputs read it by its
 * name, as they do a setting.
 *
 * ```ts
 * registers: {
 *   boards: ["north-1", "north-2", "south-1"],
 *   names: { emergency: register.boolean({ initial: false }), coordinator: register.coordinator() },
 * }
 * ```
 */
export const register = {
  /** On or off. */
  boolean: (given: { initial: boolean }): RegisterPart => registerPart("boolean", { ...given }),
  /** A number from `min` to `max`, in `unit`. */
  number: (given: NumberSetting): RegisterPart => registerPart("number", { ...given }),
  /** A short text: at most 32 bytes of UTF-8. */
  text: (given: { initial: string }): RegisterPart => registerPart("text", { ...given }),
  /**
   * The name of one of the boards, or "" for none yet: they choose another when it has been silent for 10 s and there is no host. For rules that
   * only one board is to follow: `when("temperature").above(28, { as: "coordinator" })`.
   */
  coordinator: (): RegisterPart => registerPart("coordinator", {}),
};

function registerPart(type: RegisterPart["type"], given: RegisterPart["given"]): RegisterPart {
  return { kind: "register", site: callSite(), type, given };
}
