import fc from "fast-check";
import { expect, test } from "vitest";
import { TimerQueue, timersMax } from "../../../firmware/platform/timer-queue.ts";

test("timers run in the order of their time, then of their setting; cancelled ones never", () => {
  fc.assert(
    fc.property(fc.array(fc.tuple(fc.nat(20), fc.boolean()), { maxLength: timersMax }), (wishes) => {
      const queue = new TimerQueue();
      const ran: number[] = [];
      const timers = wishes.map(([atMs], i) => queue.set(atMs, () => ran.push(i)));
      wishes.forEach(([, isCancelled], i) => {
        if (isCancelled) timers[i]!.cancel();
        if (isCancelled) timers[i]!.cancel();
      });
      const plain = [...wishes.keys()]
        .filter((i) => !wishes[i]![1])
        .sort((a, b) => wishes[a]![0] - wishes[b]![0]);
      for (let nowMs = 0; nowMs <= 20; nowMs++) {
        queue.runDue(nowMs);
        expect(ran).toEqual(plain.filter((i) => wishes[i]![0] <= nowMs));
      }
      expect(queue.nextMs).toBe(Infinity);
    }),
  );
});

test("a timer set by a timer waits for the next call, so that no turn is endless", () => {
  const queue = new TimerQueue();
  let runs = 0;
  const again = () => {
    runs++;
    queue.set(0, again);
  };
  queue.set(0, again);
  queue.runDue(5);
  expect(runs).toBe(1);
  queue.runDue(5);
  expect(runs).toBe(2);
});

test("a timer may cancel another that is due with it", () => {
  const queue = new TimerQueue();
  const ran: string[] = [];
  queue.set(0, () => {
    ran.push("first");
    second.cancel();
  });
  const second = queue.set(0, () => ran.push("second"));
  queue.set(1, () => ran.push("third"));
  queue.runDue(1);
  queue.runDue(1);
  expect(ran).toEqual(["first", "third"]);
});

test("more timers than the most are refused", () => {
  const queue = new TimerQueue();
  for (let i = 0; i < timersMax; i++) queue.set(i, () => {});
  expect(() => queue.set(0, () => {})).toThrow(RangeError);
});
