/** What people ask for, with members that answer, keep silent, or die over it: made once, and said only what is so. */
import { beforeEach, expect, test, vi } from "vitest";
import { RegisterRequests } from "../../../../host-tools/leader/registers/register-requests.ts";
import type { RegisterAsk } from "../../../../protocols/paxos/report.ts";
import type { OutcomeKind, RegisterState } from "../../../../protocols/paxos/types.ts";

type Reply = { readonly outcome: OutcomeKind; readonly state?: RegisterState } | "silent" | "gone";
type Member = (ask: RegisterAsk) => Reply;

/** What all members agree on. */
let register: RegisterState;
/** How often a change was made. */
let changes: number;

beforeEach(() => {
  vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout", "performance"] });
  register = { version: 4, value: false, by: "gate", request: 1, atMs: 0 };
  changes = 0;
});

/** Does what a member does. */
const sound: Member = ({ value, ifVersion, request }) => {
  if (value === undefined) return { outcome: "done", state: register };
  if (ifVersion !== undefined && ifVersion !== register.version)
    return { outcome: "conflict", state: register };
  register = { version: register.version + 1, value, by: "north", request, atMs: 5 };
  changes++;
  return { outcome: "done", state: register };
};

function requests(members: Readonly<Record<string, Member>>) {
  const asked: string[] = [];
  const made: RegisterRequests = new RegisterRequests({
    members: () => Object.keys(members),
    send(board, ask) {
      asked.push(`${board} ${ask.value === undefined ? "read" : `${ask.value} if ${ask.ifVersion}`}`);
      const reply = members[board]!(ask);
      if (reply === "gone") return false;
      if (reply !== "silent") {
        queueMicrotask(() =>
          made.onAnswer(board, { kind: "answer", request: ask.request, state: undefined, ...reply }),
        );
      }
      return true;
    },
    nowMs: () => performance.now(),
  });
  return { made, asked };
}

/** As time goes by. */
async function settled<T>(work: Promise<T>): Promise<T | string> {
  const caught = work.catch((error: Error & { code: string }) => `${error.code}: ${error.message}`);
  await vi.advanceTimersByTimeAsync(10_000);
  return caught;
}

const on = { register: "emergency", value: true, ifVersion: undefined };

test("a change follows the version that was read before", async () => {
  const { made, asked } = requests({ north: sound });
  expect(await settled(made.change(on))).toMatchObject({ via: "north", state: { version: 5, value: true } });
  expect(asked).toEqual(["north read", "north true if 4"]);
});

test("a member that dies over it without having made it: another one makes it", async () => {
  const mute: Member = (ask) => (ask.value === undefined ? sound(ask) : "silent");
  const { made, asked } = requests({ north: mute, south: sound });
  expect(await settled(made.change(on))).toMatchObject({ via: "south", state: { version: 5 } });
  expect(asked).toEqual(["north read", "north true if 4", "south true if 4"]);
});

test("a member that makes it and dies before it says so: it is made once", async () => {
  const lost: Member = (ask) => {
    if (ask.value === undefined) return sound(ask);
    sound(ask);
    return "silent";
  };
  const { made } = requests({ north: lost, south: sound });
  expect(await settled(made.change(on))).toMatchObject({ state: { version: 5, value: true } });
  expect(changes).toBe(1);
});

test("somebody else was first: it follows that one, and is made once", async () => {
  let isFirst = true;
  const contested: Member = (ask) => {
    if (ask.value !== undefined && isFirst) {
      isFirst = false;
      register = { version: 5, value: false, by: "gate", request: 77, atMs: 0 };
      return { outcome: "conflict", state: register };
    }
    return sound(ask);
  };
  const { made } = requests({ north: contested });
  expect(await settled(made.change(on))).toMatchObject({ state: { version: 6, value: true } });
  expect(changes).toBe(1);
});

test("made or not, and overtaken since: nobody says what is not known", async () => {
  const lost: Member = (ask) => {
    if (ask.value === undefined) return sound(ask);
    register = { version: 6, value: false, by: "gate", request: 77, atMs: 0 };
    return "silent";
  };
  const strict: Member = () => ({ outcome: "conflict", state: register });
  const { made } = requests({ north: lost, south: strict });
  expect(await settled(made.change(on))).toMatch(
    /^timeout: Nobody could say in time whether emergency was changed/,
  );
});

test("a condition that does not hold is told with what is there", async () => {
  const { made, asked } = requests({ north: sound });
  expect(await settled(made.change({ ...on, ifVersion: 3 }))).toBe(
    "unexpected-value: emergency is false, version 4 by gate, not version 3; nothing was changed.",
  );
  expect(asked).toEqual(["north true if 3"]);
});

test("no member, and no majority, are told apart", async () => {
  expect(await settled(requests({}).made.read("emergency"))).toBe(
    "no-quorum: emergency cannot be read now: none of its boards is connected to a host.",
  );
  const alone: Member = () => ({ outcome: "unreached" });
  expect(await settled(requests({ north: alone }).made.change(on))).toBe(
    "no-quorum: emergency cannot be read now: of its boards north is connected, and found no majority.",
  );
  expect(await settled(requests({ north: alone }).made.change({ ...on, ifVersion: 4 }))).toBe(
    "no-quorum: emergency was not changed: of its boards north is connected, and found no majority.",
  );
});

test("who found a majority is asked before who did not", async () => {
  const alone: Member = () => ({ outcome: "unreached" });
  const { made, asked } = requests({ north: alone, south: sound });
  expect(await settled(made.change(on))).toMatchObject({ via: "south" });
  expect(asked).toEqual(["north read", "south read", "south true if 4"]);
});

test("a member that is gone was asked nothing: that is no doubt", async () => {
  const { made, asked } = requests({ south: () => "gone", north: sound });
  expect(await settled(made.change(on))).toMatchObject({ via: "north", state: { version: 5 } });
  expect(asked).toEqual(["south read", "north read", "north true if 4"]);
  expect(await settled(requests({ south: () => "gone" }).made.change({ ...on, ifVersion: 5 }))).toMatch(
    /^no-quorum/,
  );
});

test("another board cannot answer for the one that was asked", async () => {
  const { made } = requests({ north: () => "silent" });
  const reading = made.read("emergency");
  for (let request = 0; request < 1000; request++) {
    made.onAnswer("thief", { kind: "answer", request, outcome: "done", state: register });
  }
  expect(await settled(reading)).toMatch(/^no-quorum/);
});
