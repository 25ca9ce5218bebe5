/** A board's sessions with its hosts, against a real host end: who is let in, what is sealed, what comes of whoever is in between. */
import { describe, expect, test } from "vitest";
import { linkLimits } from "../../../firmware/board/link.ts";
import { linkSessionLimits } from "../../../firmware/board/link-session.ts";
import type { BoardConfig } from "../../../firmware/platform/ports.ts";
import { nodeCiphers } from "../../../host-tools/security/node-ciphers.ts";
import { encodeCbor } from "../../../protocols/cbor/encode.ts";
import { messageToWire } from "../../../protocols/raft/codec.ts";
import type { VoteRequest } from "../../../protocols/raft/types.ts";
import { GroupSender } from "../../../protocols/security/group/group-records.ts";
import { makeSenderKey, senderKeyToWire } from "../../../protocols/security/group/sender-key.ts";
import { kidOf } from "../../../protocols/security/identity/credential.ts";
import { Roster, rosterKey } from "../../../protocols/security/identity/roster.ts";
import { Permission } from "../../../protocols/security/identity/scope.ts";
import { FrameKind } from "../../../protocols/security/session/frames.ts";
import { TestRoot } from "../../members.ts";
import { LeaderOnTheWire } from "./leader-on-the-wire.ts";
import { credentialsOf, memberOf, root, swarm } from "./members.ts";
import { SimulatedBoard } from "./simulated-board.ts";
import { program, programBytes, threeHosts } from "./surroundings.ts";

const port = 7883;

function joined(leader = new LeaderOnTheWire(), over: Partial<BoardConfig> = {}): SimulatedBoard {
  const it = new SimulatedBoard(leader, undefined, 0, over);
  it.run(500);
  it.leader.put("program/north-1", programBytes(program));
  it.run(500);
  expect(it.board.board!.linkState).toBe("joined");
  return it;
}

const refusedBy = (it: SimulatedBoard): number => it.leader.healths.at(-1)!.device!.recordsRefused;

describe("a session", () => {
  test("is made before anything else is said, in four messages, by reference", () => {
    const it = joined();
    const { frames } = it.leader.trust;
    expect(frames.map(({ bytes }) => bytes[0])).toEqual([
      FrameKind.message1,
      FrameKind.message2,
      FrameKind.message3,
      FrameKind.message4,
    ]);
    // The board refers to its identity, which the broker has seen; the host gives its own.
    expect(frames[2]!.bytes.length).toBeLessThan(60);
    expect(it.leader.hellos).toHaveLength(1);
    expect(it.leader.trust).toMatchObject({ handshakes: 1, refreshes: 0 });
  });

  test("is made by value with a host that does not know the board", () => {
    const leader = new LeaderOnTheWire();
    // As after a restart of the host behind a broker that stayed.
    leader.trust.roster.find = () => undefined;
    const it = joined(leader);
    expect(it.leader.trust.frames.map(({ bytes }) => bytes[0])).toEqual([1, 2, 3, 0, 1, 2, 3, 4]);
    expect(it.leader.trust.handshakes).toBe(1);
  });

  test("carries nothing that a broker could read, but that the board is gone", () => {
    const seen: string[] = [];
    const leader = new LeaderOnTheWire();
    leader.onRecord = (_, bytes) => void seen.push(Buffer.from(bytes).toString("latin1"));
    leader.inBetween = (_, bytes) => {
      seen.push(Buffer.from(bytes).toString("latin1"));
      return undefined;
    };
    joined(leader).run(3000);
    expect(seen.length).toBeGreaterThan(20);
    for (const word of ["temperature", "esp32c3", "program", "00000001"]) {
      expect(seen.filter((bytes) => bytes.includes(word))).toEqual([]);
    }
  });

  test("says which start of the firmware it is: another number each time", () => {
    const it = joined();
    it.leader.cut();
    it.run(2000);
    const [first, second] = it.leader.hellos;
    expect(second!.startId).toBe(first!.startId);
    const again = it.reboot();
    again.run(500);
    expect(again.leader.hellos.at(-1)!.startId).not.toBe(first!.startId);
  });
});

describe("a host is refused", () => {
  function impostor(member: ReturnType<typeof memberOf>, prepare?: (it: SimulatedBoard) => void) {
    const it = new SimulatedBoard();
    it.leader.trust.impostors.set(port, member);
    prepare?.(it);
    it.run(20_000);
    expect(it.leader.hellos).toEqual([]);
    expect(it.board.board!.linkState).not.toBe("joined");
    return it.logged("link-lost")[0];
  }

  test("that has another name", () => {
    expect(impostor(memberOf("host", "other"))).toContain("it is other, not main");
  });

  test("that is none", () => {
    expect(impostor(memberOf("board", "main"))).toContain("main is no host but board");
    expect(impostor(memberOf("admin", "main"))).toContain("main is no host but admin");
  });

  test("that may not command this board", () => {
    const scope = [{ resource: "south-*", permissions: Permission.command }];
    const member = root.issue("host", "main", scope);
    expect(impostor(member)).toContain("the scope of main does not let it command north-1");
  });

  test("that another root has signed", () => {
    const other = new TestRoot(swarm);
    const why = impostor(other.issue("host", "main"), ({ leader }) => {
      leader.trust.impostorRoster = new Roster(nodeCiphers, root.keys.publicKey, swarm, 4);
      leader.trust.impostorRoster.admit(memberOf("board", "north-1").signed);
    });
    expect(why).toContain("the responder is nobody that is known");
  });

  test("that does not hold the key of the identity that it shows", () => {
    const { privateKey } = root.issue("host", "main");
    const why = impostor({ ...memberOf("host", "main"), privateKey });
    expect(why).toContain("does not hold the key");
  });

  test("that was revoked, as the board has known since before its power failed", () => {
    const before = joined();
    const revoked = kidOf(nodeCiphers, memberOf("host", "main").signed);
    before.leader.put(rosterKey, root.revoke(1, revoked));
    before.run(200);
    expect(before.logged("link-lost").at(-1)).toContain("main was revoked");
    const it = before.reboot();
    it.run(10_000);
    expect(it.logged("roster")).toEqual(["info roster epoch=1"]);
    expect(it.leader.hellos).toHaveLength(1);
    expect(it.outputs.get("fan")).toBe(10);
  });

  test("with ever longer pauses, and the next is tried at once", () => {
    const it = new SimulatedBoard(undefined, undefined, 0, { hosts: threeHosts });
    it.leader.trust.impostors.set(7001, memberOf("host", "c"));
    it.leader.trust.impostors.set(7002, memberOf("host", "a"));
    it.run(3000);
    expect(it.leader.connected).toEqual([7003]);
    it.leader.trust.impostors.set(7003, memberOf("host", "b"));
    it.leader.cut();
    const { connects } = it.leader;
    it.run(600_000);
    expect(it.leader.connects - connects).toBeLessThan(
      600_000 / ((linkLimits.refusedFactor * linkLimits.pauseMostMs) / 2) + 20,
    );
    it.leader.trust.impostors.clear();
    it.run(linkLimits.refusedFactor * linkLimits.pauseMostMs);
    expect(it.board.board!.linkState).toBe("joined");
  });
});

describe("a board whose credentials are not its own", () => {
  const own = credentialsOf(memberOf("board", "north-1"));
  const none = new Uint8Array(0);
  test.each<[string, Partial<BoardConfig["credentials"]>, string]>([
    ["another board's", credentialsOf(memberOf("board", "south-1")), "that of south-1, a board"],
    ["a host's", credentialsOf(memberOf("host", "north-1")), "that of north-1, a host"],
    ["of another swarm", credentialsOf(new TestRoot("cellar").issue("board", "north-1")), "the swarm cellar"],
    ["torn", { signed: own.signed.subarray(0, 50) }, "no COSE_Sign1"],
    ["missing", { root: none, signed: none, privateKey: none }, "none of P-256"],
  ])("(%s) says so once, and runs its program without a network", (_, credentials, why) => {
    const { flash } = joined();
    const it = new SimulatedBoard(new LeaderOnTheWire(), flash.reboot(), 0, {
      credentials: { ...own, ...credentials },
    });
    it.sensors.set("temperature", 20);
    it.run(60_000);
    expect(it.logged("credentials-refused")).toHaveLength(1);
    expect(it.logged("credentials-refused")[0]).toContain(why);
    expect(it.logged("credentials-refused")[0]).toContain("provision the board");
    expect(it.leader.connects).toBe(0);
    expect(it.outputs.get("fan")).toBe(10);
    expect(it.restarts).toEqual([]);
  });

  test("(signed by nobody that the hosts know) is turned away, and asks less and less often", () => {
    const stranger = new TestRoot(swarm).issue("board", "north-1");
    const it = new SimulatedBoard(undefined, undefined, 0, {
      credentials: { ...credentialsOf(stranger), root: root.keys.publicKey },
    });
    it.run(600_000);
    expect(it.logged("link-lost")[0]).toContain("refused the connection with code 5");
    expect(it.leader.connects).toBeLessThan(50);
    expect(it.leader.connects).toBeGreaterThan(10);
  });
});

describe("whoever is in between", () => {
  test("repeats records: each is dropped and counted", () => {
    const it = joined();
    const seen: [string, Uint8Array][] = [];
    it.leader.inBetween = (channel, bytes) => void seen.push([channel, bytes.slice()]);
    it.run(1500);
    it.leader.inBetween = undefined;
    const raft = it.leader.raft.length;
    for (const [channel, bytes] of seen) it.leader.sendRaw(channel, bytes);
    expect(seen.length).toBeGreaterThan(4);
    it.leader.tick = () => {};
    it.run(20);
    expect(it.leader.raft.length).toBe(raft);
    it.run(3000);
    expect(refusedBy(it)).toBe(seen.length);
    expect(it.leader.connects).toBe(1);
  });

  test("forges, and moves records to other channels: none opens", () => {
    const it = joined();
    const seen: Uint8Array[] = [];
    it.leader.inBetween = (channel, bytes) => {
      if (channel !== "raft") return undefined;
      seen.push(bytes.slice());
      return new Uint8Array(0);
    };
    it.run(600);
    it.leader.inBetween = undefined;
    expect(seen.length).toBeGreaterThan(1);
    const forged = seen[0]!.slice();
    forged[forged.length - 1]! ^= 1;
    it.leader.sendRaw("raft", forged);
    it.leader.sendRaw("time", seen[0]!);
    it.leader.sendRaw("group", seen[0]!);
    it.leader.sendRaw("update", seen[0]!);
    it.leader.sendRaw("raft", Uint8Array.of(1, 2, 3));
    it.run(3000);
    expect(refusedBy(it)).toBe(2 + 5 + (seen.length - 2));
    expect(it.leader.connects).toBe(1);
    // Late is not too late.
    it.leader.sendRaw("raft", seen[0]!);
    it.run(3000);
    expect(refusedBy(it)).toBe(seen.length + 5);
  });

  test("sends back what the board sealed: a reflection opens nowhere", () => {
    const it = joined();
    let last: Uint8Array | undefined;
    it.leader.onRecord = (channel, bytes) => {
      if (channel === "raft") last = bytes.slice();
    };
    it.run(600);
    it.leader.sendRaw("raft", last!);
    it.run(3000);
    expect(refusedBy(it)).toBe(1);
  });

  test("sends more of it than anybody needs: the link is dropped as garbage", () => {
    const it = joined();
    for (let i = 0; i <= linkSessionLimits.refusedMax; i++) {
      it.leader.sendRaw("raft", new Uint8Array(20).fill(i));
      it.run(0);
    }
    it.run(100);
    expect(it.logged("link-lost")[0]).toContain("garbage: records that do not open");
    it.run(3000);
    expect(it.board.board!.linkState).toBe("joined");
    expect(refusedBy(it)).toBe(linkSessionLimits.refusedMax + 1);
  });

  test("answers nothing: the link is lost in time, not before and not much later", () => {
    const it = new SimulatedBoard();
    it.leader.inBetween = (channel, bytes) => (channel === "edhoc" ? bytes.subarray(0, 0) : undefined);
    // An empty frame is garbage and ends the attempt.
    it.run(100);
    expect(it.logged("link-lost")[0]).toContain("garbage");
    it.leader.trust.responder = () => ({ take: () => ({}), seal: () => undefined }) as never;
    it.run(1000);
    const lost = it.logged("link-lost").length;
    it.run(linkSessionLimits.answerMs - 1500);
    expect(it.logged("link-lost")).toHaveLength(lost);
    it.run(1500);
    expect(it.logged("link-lost").at(-1)).toContain("did not answer the handshake");
  });

  test("says that a session is not known: it costs a handshake, and nothing else", () => {
    const it = joined();
    it.leader.sendRaw("edhoc", Uint8Array.of(FrameKind.error, 0x01, 0x60));
    it.run(3000);
    expect(it.leader.connects).toBe(1);
    expect(refusedBy(it)).toBe(1);
  });
});

describe("a link that comes back", () => {
  test("refreshes its session: two frames, no curve", () => {
    const it = joined();
    const { trust } = it.leader;
    trust.frames.length = 0;
    it.leader.cut();
    it.run(2000);
    expect(it.board.board!.linkState).toBe("joined");
    expect(trust.frames.map(({ bytes }) => bytes[0])).toEqual([FrameKind.refresh, FrameKind.refreshed]);
    expect(trust).toMatchObject({ handshakes: 1, refreshes: 1 });
  });

  test("makes a session anew with a host that has forgotten it", () => {
    const it = joined();
    it.leader.trust.kept.clear();
    it.leader.cut();
    it.run(2000);
    expect(it.board.board!.linkState).toBe("joined");
    expect(it.leader.trust).toMatchObject({ handshakes: 2, refreshes: 0 });
    expect(it.leader.connects).toBe(2);
  });

  test("catches up with refreshes whose answers were lost", () => {
    const it = joined();
    it.leader.inBetween = (channel, bytes) => (channel === "edhoc" ? bytes.subarray(0, 1) : undefined);
    it.leader.cut();
    it.run(30_000);
    const { refreshes } = it.leader.trust;
    expect(refreshes).toBeGreaterThan(3);
    it.leader.inBetween = undefined;
    it.run(10_000);
    expect(it.board.board!.linkState).toBe("joined");
    expect(it.leader.trust.handshakes).toBe(1);
  });
});

describe("a new epoch", () => {
  const someone = new Uint8Array(8).fill(1);

  test("makes new keys on the same connection, which goes on", () => {
    const it = joined();
    it.leader.put(rosterKey, root.revoke(1, someone));
    it.run(1000);
    const { trust } = it.leader;
    expect(trust).toMatchObject({ handshakes: 1, refreshes: 1 });
    expect(trust.kept.get(port)!.epoch).toBe(1);
    it.leader.put("fan.duty", 70);
    it.run(500);
    expect(it.outputs.get("fan")).toBe(70);
    expect(it.leader.connects).toBe(1);
    expect(it.leader.hellos).toHaveLength(1);
  });

  test("that is forged, or old, changes nothing", () => {
    const it = joined();
    it.leader.put(rosterKey, new TestRoot(swarm).revoke(1, someone));
    it.run(300);
    expect(it.logged("roster-refused")).toHaveLength(1);
    it.leader.put(rosterKey, root.revoke(2, someone));
    it.run(300);
    it.leader.put(rosterKey, root.revoke(1, someone));
    it.run(300);
    expect(it.leader.trust.refreshes).toBe(1);
    const again = it.reboot();
    again.run(500);
    expect(again.board.board!.linkState).toBe("joined");
  });

  test("in which its host belongs no more: the board leaves it for another, and keeps nothing of it", () => {
    const it = joined(undefined, { hosts: threeHosts });
    const [first] = it.leader.connected;
    const name = ["a", "b", "c"][first! - 7001]!;
    it.leader.put(rosterKey, root.revoke(1, kidOf(nodeCiphers, memberOf("host", name).signed)));
    it.run(3000);
    expect(it.leader.connected).toHaveLength(1);
    expect(it.leader.connected).not.toContain(first);
    expect(it.logged("link-lost")[0]).toContain(`${name} was revoked`);
    expect(it.logged("joined")).toHaveLength(2);
  });

  test("in which the board itself belongs no more is said by it", () => {
    const it = joined();
    it.leader.put(rosterKey, root.revoke(1, kidOf(nodeCiphers, memberOf("board", "north-1").signed)));
    it.run(1000);
    expect(it.logged("revoked")).toEqual(["error revoked board=north-1 epoch=1"]);
    it.leader.cut();
    it.run(60_000);
    expect(it.board.board!.linkState).not.toBe("joined");
    expect(it.leader.hellos).toHaveLength(1);
  });
});

describe("publications", () => {
  function listening(): SimulatedBoard {
    const leader = new LeaderOnTheWire();
    leader.listens = true;
    const it = joined(leader);
    it.leader.put("fan.duty", 20);
    it.run(500);
    return it;
  }

  test("are opened with the leader's key, and a copy is worth nothing", () => {
    const it = listening();
    const publish = it.leader.publishSealed.bind(it.leader);
    const seen: Uint8Array[] = [];
    it.leader.publishSealed = (bytes) => {
      seen.push(bytes.slice());
      publish(bytes);
    };
    it.leader.put("fan.duty", 30);
    it.run(500);
    expect(it.outputs.get("fan")).toBe(30);
    expect(Buffer.from(seen[0]!).includes("fan.duty")).toBe(false);
    publish(seen[0]!);
    it.run(3000);
    expect(refusedBy(it)).toBe(1);
    expect(it.leader.connects).toBe(1);
  });

  test("under a key that nobody handed out are dropped, however many, and those that are forged end the link", () => {
    const it = listening();
    const topic = `covey/${swarm}/all/raft`;
    const stranger = new GroupSender(nodeCiphers, makeSenderKey(nodeCiphers, "main", 0), topic);
    for (let i = 0; i < 2 * linkSessionLimits.refusedMax; i++) {
      it.leader.publishSealed(stranger.seal(Uint8Array.of(i)));
      it.run(0);
    }
    it.run(3000);
    expect(it.leader.connects).toBe(1);
    expect(refusedBy(it)).toBe(2 * linkSessionLimits.refusedMax);
    for (let i = 0; i <= linkSessionLimits.refusedMax; i++) {
      const forged = it.leader.trust.sender("main").seal(Uint8Array.of(i));
      forged[forged.length - 1]! ^= 1;
      it.leader.publishSealed(forged);
      it.run(0);
    }
    it.run(3000);
    expect(it.leader.connects).toBe(2);
  });

  test("of a host that the board does not know can't take the place of one that it knows", () => {
    const it = listening();
    for (const host of ["x", "y", "z"]) {
      const key = makeSenderKey(nodeCiphers, host, 0);
      it.leader.sendPayload("group", encodeCbor(senderKeyToWire(key)));
    }
    it.run(100);
    it.leader.put("fan.duty", 40);
    it.run(0);
    it.run(3000);
    expect(it.outputs.get("fan")).toBe(40);
    expect(refusedBy(it)).toBe(3);
    it.leader.sendPayload("group", Uint8Array.of(1));
    it.run(100);
    expect(it.logged("link-lost")[0]).toContain("garbage");
  });

  test("are heard again by a voter that votes no more, whose keys come with a refresh", () => {
    const it = listening();
    it.leader.change("promote");
    it.run(1000);
    it.leader.change("demote");
    it.run(1000);
    expect(it.leader.trust.refreshes).toBe(1);
    // What is no publication ends the link, once it is opened.
    it.leader.publish(Uint8Array.of(0xff));
    it.run(1000);
    expect(it.leader.connects).toBe(2);
    expect(it.logged("link-lost")[0]).toContain("garbage");
  });
});

describe("Raft", () => {
  const ask = (it: SimulatedBoard, from: string, through?: number): boolean => {
    const request: VoteRequest = {
      type: "vote-request",
      from,
      to: it.board.board!.memberId,
      term: it.leader.term + 5,
      lastLogIndex: 99,
      lastLogTerm: 99,
      purpose: "transfer",
    };
    const answers = () => it.leader.raft.filter(({ type }) => type === "vote-response").length;
    const before = answers();
    it.leader.step = () => {};
    it.leader.sendPayload("raft", encodeCbor(messageToWire(request)), through);
    it.run(50);
    return answers() > before;
  };

  test("is taken from the host of the session, and from another one that has no session of its own", () => {
    const it = joined(undefined, { hosts: threeHosts });
    const names = ["a", "b", "c"];
    const own = names[it.leader.connected[0]! - 7001]!;
    expect(ask(it, `${own}.77777777`)).toBe(true);
    const other = names.find((name) => name !== own)!;
    expect(ask(it, `${other}.77777777`)).toBe(true);
  });

  test("is not taken from a board, nor from a host that the board does not know", () => {
    const it = joined();
    for (const from of ["north-2.77777777", "north-1.77777777", "spare.77777777", "main-2.7", "mai.n"]) {
      expect(ask(it, from), from).toBe(false);
    }
    it.run(3000);
    expect(refusedBy(it)).toBe(5);
    expect(ask(it, "main.77777777")).toBe(true);
  });

  test("is not taken from one host about another that has a session with the board", () => {
    const it = joined(undefined, { hosts: threeHosts });
    it.leader.homePort = it.leader.connected[0]!;
    it.leader.change("promote");
    it.run(2000);
    expect(it.leader.connected).toEqual([7001, 7002, 7003]);
    expect(ask(it, "b.77777777", 7003)).toBe(false);
    expect(ask(it, "b.77777777", 7002)).toBe(true);
    it.leader.deafPorts.add(7002);
    it.leader.cut(7002);
    it.run(100);
    expect(ask(it, "b.88888888", 7003)).toBe(true);
  });
});
