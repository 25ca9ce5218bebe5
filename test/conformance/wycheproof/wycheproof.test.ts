import { describe, expect, test } from "vitest";
import { providers } from "../providers.ts";
import { wycheproof } from "./cases.ts";
import { caseKinds, faultIn } from "./check-case.ts";

describe.each(providers)("%s", (_, ciphers) => {
  test.each(caseKinds)("%s", (kind) => {
    const { cases } = wycheproof[kind]();
    const faults = cases.map((each) => [each.number, faultIn(ciphers, each)]).filter(([, fault]) => fault);
    expect(faults).toEqual([]);
  });
});

test("all cases are tried but those that do not apply", () => {
  const counts = caseKinds.map((kind) => {
    const { cases, leftOut } = wycheproof[kind]();
    return [kind, cases.length, leftOut];
  });
  expect(counts).toEqual([
    ["AES-CCM", 122, { "a key of other than 128 bits": 368, "a tag of other than 8 or 16 bytes": 62 }],
    ["ECDH", 342, { "a key of another curve": 5, "a false y beside a sound x": 6 }],
    ["ES256", 262, {}],
    ["HKDF", 86, {}],
    ["HMAC", 174, {}],
  ]);
});
