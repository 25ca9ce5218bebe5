import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { defaultScope } from "../../../host-tools/keys/default-scope.ts";
import { CannotIssue } from "../../../host-tools/keys/key-error.ts";
import { formatScope, parseScope } from "../../../host-tools/keys/scope-text.ts";
import { roles } from "../../../protocols/security/identity/identity.ts";

describe("a scope as text", () => {
  it("reads as it is written", () => {
    expect(parseScope("fan.*:rw, north-1:c,a:b:u")).toEqual([
      { resource: "fan.*", permissions: 3 },
      { resource: "north-1", permissions: 4 },
      { resource: "a:b", permissions: 8 },
    ]);
    for (const role of roles) {
      const scope = defaultScope(role, "anna");
      expect(parseScope(formatScope(scope))).toEqual(scope);
    }
  });

  it("comes back from text, whatever it is", () => {
    const entry = fc.record({
      resource: fc.stringMatching(/^[a-z][a-z.:*/-]{0,40}$/),
      permissions: fc.integer({ min: 1, max: 15 }),
    });
    fc.assert(
      fc.property(fc.array(entry, { minLength: 1, maxLength: 16 }), (scope) => {
        expect(parseScope(formatScope(scope))).toEqual(scope);
      }),
    );
  });

  it.each(["", "fan", ":rw", "fan:", "fan:x", "fan:rwx", `${"f".repeat(49)}:r`, "fan:r,,"])(
    "%j is none",
    (text) => {
      expect(() => parseScope(text)).toThrow(CannotIssue);
      expect(() => parseScope(text)).toThrow(
        / is no entry of a scope; write a resource .* such as fan\.\*:rw\.$/,
      );
    },
  );

  it("has at most 16 entries", () => {
    expect(() => parseScope(Array.from({ length: 17 }, () => "a:r").join(","))).toThrow(
      "A scope has at most 16 entries, and this one has 17.",
    );
  });
});
