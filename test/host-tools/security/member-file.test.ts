/** A member's file, and what is not one. */
import * as fs from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import {
  MemberFileError,
  readMemberFile,
  writeMemberFile,
} from "../../../host-tools/security/member-file.ts";
import { TestRoot } from "../../members.ts";

const folder = fs.mkdtempSync(join(tmpdir(), "covey-member-"));
const root = new TestRoot("garden");
const north = root.issue("board", "north");
const path = join(folder, "member.json");

afterAll(() => fs.rmSync(folder, { recursive: true }));

it("comes back as it was written, for its owner's eyes alone, also over one that others could read", () => {
  fs.writeFileSync(path, "{}", { mode: 0o644 });
  const tls = { certificates: "-----BEGIN", privateKey: "-----BEGIN" };
  const member = { ...north, authority: Uint8Array.of(1, 2), tls };
  writeMemberFile(path, member);
  expect(fs.statSync(path).mode & 0o777).toBe(0o600);
  expect(readMemberFile(path)).toEqual(member);
  expect(fs.readdirSync(folder)).toEqual(["member.json"]);
});

describe("is refused, with its path and what to do,", () => {
  const written = (change: object): string => {
    writeMemberFile(path, north);
    fs.writeFileSync(path, JSON.stringify({ ...JSON.parse(fs.readFileSync(path, "utf8")), ...change }));
    return path;
  };
  const text = (array: Uint8Array) => Buffer.from(array).toString("base64url");

  it("when it is not there", () => {
    const missing = join(folder, "nobody.json");
    expect(() => readMemberFile(missing)).toThrow(MemberFileError);
    expect(() => readMemberFile(missing)).toThrow(
      /nobody\.json can't be read: issue the identity with covey keys issue/,
    );
  });

  it("when others may read it", () => {
    writeMemberFile(path, north);
    fs.chmodSync(path, 0o640);
    expect(() => readMemberFile(path)).toThrow(
      `${path} may be read by others and holds a private key; run chmod 600 ${path}.`,
    );
    fs.chmodSync(path, 0o600);
  });

  it.each<[string, object, RegExp]>([
    [
      "when another root signed it",
      { root: text(new TestRoot("garden").keys.publicKey) },
      /root did not sign it/,
    ],
    [
      "when its key is another's",
      { privateKey: text(root.issue("board", "north").privateKey) },
      /its private key is another's/,
    ],
    ["when its key is none", { privateKey: "AAAA" }, /no such file, or it is torn/],
    ["when it lacks its identity", { identity: undefined }, /no such file, or it is torn/],
    ["when its certificate is none", { tls: { certificates: 1 } }, /no such file, or it is torn/],
  ])("%s", (_when, change, why) => {
    expect(() => readMemberFile(written(change))).toThrow(why);
    expect(() => readMemberFile(path)).toThrow(/issue it again with covey keys issue\.$/);
  });

  it("when it is torn", () => {
    writeMemberFile(path, north);
    fs.truncateSync(path, 100);
    expect(() => readMemberFile(path)).toThrow(/holds no identity \(it is no such file, or it is torn\)/);
  });
});
