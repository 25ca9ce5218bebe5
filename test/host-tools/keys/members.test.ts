/** Who is issued what, and who belongs, as the members' own roster sees it. */
import * as fs from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { type IssueRequest, issueMembers } from "../../../host-tools/keys/issue.ts";
import {
  AlreadyRevoked,
  CannotIssue,
  NameTaken,
  NoSuchIdentity,
  TooManyRevoked,
} from "../../../host-tools/keys/key-error.ts";
import { KeyFolder } from "../../../host-tools/keys/key-folder.ts";
import { latestOf, standingOf } from "../../../host-tools/keys/ledger.ts";
import { markDelivered, revokeMembers, rotateAll, rotateEpoch } from "../../../host-tools/keys/revoke.ts";
import type { RootKeys } from "../../../host-tools/keys/root-file.ts";
import type { MemberSecrets } from "../../../host-tools/security/member-file.ts";
import { nodeCiphers } from "../../../host-tools/security/node-ciphers.ts";
import { Roster, rosterLimits } from "../../../protocols/security/identity/roster.ts";

let parent: string;
let folder: KeyFolder;
let keys: RootKeys;
/** As every member has one. */
let roster: Roster;

beforeEach(async () => {
  parent = fs.mkdtempSync(join(tmpdir(), "covey-members-"));
  folder = await KeyFolder.create(join(parent, "keys"), "garden", undefined);
  keys = await folder.unlock();
  roster = new Roster(nodeCiphers, folder.root, "garden", 100);
});

afterEach(() => fs.rmSync(parent, { recursive: true }));

const issue = (...requests: IssueRequest[]) => issueMembers(folder, keys, requests, Date.UTC(2026, 0, 2));
const board = (name: string): IssueRequest => ({ name, role: "board" });
const revoke = (...names: string[]) => revokeMembers(folder, keys, names, "stolen", Date.UTC(2026, 0, 3));
const belongs = (member: MemberSecrets) => roster.admit(member.signed) !== undefined;
/** The swarm agrees on the latest statement. */
const tell = () => roster.take(Buffer.from(folder.ledger().roster!.statement, "base64url"));

describe("an identity", () => {
  it("is taken by members for what it says", () => {
    const scope = [{ resource: "fan.*", permissions: 3 }];
    issue(board("north"), { name: "anna", role: "operator", scope });
    const north = folder.readIssued("north");
    expect(roster.admit(north.signed)?.identity).toMatchObject({
      ...{ swarm: "garden", name: "north", role: "board", epoch: 0 },
      scope: [{ resource: "north", permissions: 3 }],
    });
    expect(roster.admit(folder.readIssued("anna").signed)?.identity.scope).toEqual(scope);
    expect(folder.ledger().entries[0]).toMatchObject({ name: "north", issuedAt: "2026-01-02T00:00:00.000Z" });
  });

  it("carries what its holder needs for TLS: all know the authority, a host has a certificate", () => {
    issue(board("north"), { name: "main", role: "host", addresses: ["leader.local"] });
    expect(folder.readIssued("north")).toMatchObject({ authority: folder.authority, tls: undefined });
    expect(folder.readIssued("main").tls!.certificates).toContain("BEGIN CERTIFICATE");
    expect(latestOf(folder.ledger(), "main")!.addresses).toEqual(["leader.local"]);
  });

  it("is issued once for a name, also when several are asked for together", () => {
    issue(board("north"));
    expect(() => issue(board("south"), board("north"))).toThrow(NameTaken);
    expect(() => issue(board("north"))).toThrow(
      "north has an identity (board, of 2026-01-02); revoke it first: covey keys revoke north.",
    );
    expect(folder.ledger().entries).toHaveLength(1);
    expect(folder.hasIssued("south")).toBe(false);
  });

  it("whose file is gone is said to be gone", () => {
    issue(board("north"));
    fs.rmSync(folder.issuedPath("north"));
    expect(() => issue(board("north"))).toThrow(
      "north has an identity (board, of 2026-01-02) whose file is gone",
    );
  });

  it.each<[string, IssueRequest, RegExp]>([
    ["a name that is none", board("North 1"), /^"North 1" cannot name a member: use lower-case/],
    ["a name that is a path", board("../north"), /cannot name a member/],
    ["an address of a board", { ...board("north"), addresses: ["::1"] }, /^Only a host is reached under/],
    [
      "an address that is none",
      { name: "main", role: "host", addresses: ["http://main"] },
      /^"http:\/\/main" is neither an IP address nor a name of a computer\.$/,
    ],
    [
      "a scope too long to be carried",
      {
        ...board("north"),
        scope: Array.from({ length: 16 }, (_, i) => ({ resource: `${i}`.padEnd(48, "x"), permissions: 1 })),
      },
      /at most 512 fit, so give it a shorter scope/,
    ],
  ])("is not issued for %s", (_what, request, why) => {
    expect(() => issue(request)).toThrow(CannotIssue);
    expect(() => issue(request)).toThrow(why);
    expect(folder.ledger().entries).toEqual([]);
  });
});

describe("revoking", () => {
  it("shuts out whom it names, once the swarm agrees, and nobody else", () => {
    issue(board("north"), board("south"));
    const [north, south] = [folder.readIssued("north"), folder.readIssued("south")];
    expect(revoke("north").roster).toMatchObject({ epoch: 1, since: 0, delivery: "due" });
    expect(belongs(north)).toBe(true);
    expect(tell()).toBe(true);
    expect([belongs(north), belongs(south)]).toEqual([false, true]);
    expect(latestOf(folder.ledger(), "north")!.revoked).toEqual({
      ...{ at: "2026-01-03T00:00:00.000Z", why: "stolen", epoch: 1 },
    });
  });

  it("stays in force through later statements", () => {
    issue(board("north"), board("south"));
    const north = folder.readIssued("north");
    revoke("north");
    revoke("south");
    expect(folder.ledger().roster!.epoch).toBe(2);
    tell();
    expect(belongs(north)).toBe(false);
  });

  it("lets the name have a new identity, in the new epoch", () => {
    issue(board("north"));
    const before = folder.readIssued("north");
    revoke("north");
    issue(board("north"));
    tell();
    const now = folder.readIssued("north");
    expect([belongs(before), belongs(now)]).toEqual([false, true]);
    expect(now.identity.epoch).toBe(1);
    revoke("north");
    tell();
    expect(belongs(now)).toBe(false);
  });

  it("of somebody unknown, or again, is refused with what to do, and changes nothing", () => {
    issue(board("north"), board("south"));
    revoke("north");
    const before = folder.ledger();
    expect(() => revoke("east")).toThrow(NoSuchIdentity);
    expect(() => revoke("east")).toThrow(/under the name east; covey keys list shows who was\.$/);
    expect(() => revoke("south", "north")).toThrow(AlreadyRevoked);
    expect(() => revoke("north")).toThrow(
      "north was revoked on 2026-01-03 already (stolen); covey keys issue north gives it a new identity.",
    );
    expect(folder.ledger()).toEqual(before);
  });

  it("holds as many as a statement lists; then all are to be issued anew, which begins an empty list", async () => {
    const names = Array.from({ length: rosterLimits.revokedMax }, (_, i) => `b-${i}`);
    issue(board("north"), board("south"), ...names.map(board));
    revoke(...names);
    tell();
    expect(() => revoke("north")).toThrow(TooManyRevoked);
    expect(() => revoke("north")).toThrow(
      "80 identities are revoked, and no more can be listed; covey keys rotate --all issues everybody anew and begins an empty list.",
    );
    expect(standingOf(folder.ledger(), latestOf(folder.ledger(), "north")!)).toBe("belongs");
    const old = folder.readIssued("north");
    rotateAll(folder, keys, 0);
    revoke("north");
    tell();
    expect([belongs(old), belongs(folder.readIssued("south"))]).toEqual([false, true]);
  });
});

describe("rotating", () => {
  it("begins an epoch and shuts nobody out", () => {
    issue(board("north"));
    expect(rotateEpoch(folder, keys).roster).toMatchObject({ epoch: 1, since: 0, delivery: "due" });
    tell();
    expect(roster.epoch).toBe(1);
    expect(belongs(folder.readIssued("north"))).toBe(true);
  });

  it("all issues everybody anew with what they had, but not whoever was revoked, and ends the earlier ones", () => {
    const scope = [{ resource: "fan.*", permissions: 1 }];
    issue(board("north"), board("south"), { name: "anna", role: "viewer", scope });
    issue({ name: "main", role: "host", addresses: ["192.0.2.7"] });
    revoke("south");
    const old = ["north", "south", "anna", "main"].map((name) => folder.readIssued(name));
    const ledger = rotateAll(folder, keys, 0);
    expect(ledger.roster).toMatchObject({ epoch: 2, since: 2, delivery: "held" });
    const fresh = ["north", "anna", "main"].map((name) => folder.readIssued(name));
    // The new ones count at once, so that members can be given them one after the other.
    expect([...old, ...fresh].map(belongs)).toEqual([true, true, true, true, true, true, true]);
    tell();
    expect(old.map(belongs)).toEqual([false, false, false, false]);
    expect(fresh.map(belongs)).toEqual([true, true, true]);
    expect(latestOf(ledger, "anna")).toMatchObject({ scope, epoch: 2 });
    expect(latestOf(ledger, "main")).toMatchObject({ addresses: ["192.0.2.7"] });
    expect(standingOf(ledger, ledger.entries[0]!)).toBe("replaced");
  });

  it("all holds back what follows as well, until the user sends it", () => {
    issue(board("north"), board("south"));
    rotateAll(folder, keys, 0);
    expect(revoke("north").roster!.delivery).toBe("held");
    expect(markDelivered(folder, 2)).toBe(true);
    expect(folder.ledger().roster!.delivery).toBe("done");
    expect(revoke("south").roster!.delivery).toBe("due");
  });

  it("what was sent before is not what is due now", () => {
    issue(board("north"));
    rotateEpoch(folder, keys);
    rotateEpoch(folder, keys);
    expect(markDelivered(folder, 1)).toBe(false);
    expect(folder.ledger().roster!.delivery).toBe("due");
  });
});
