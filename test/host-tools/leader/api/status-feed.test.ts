import { afterEach, beforeEach, expect, it, vi } from "vitest";
import { StatusFeed, statusFeedLimits } from "../../../../host-tools/leader/api/status-feed.ts";
import type { Status } from "../../../../host-tools/leader/api/types/status.ts";

beforeEach(() => {
  vi.useFakeTimers();
});

afterEach(() => {
  vi.useRealTimers();
});

it("asks for no status once it is closed: its leader's ports are closed by then", () => {
  let asked = 0;
  const status = () => {
    asked++;
    return { leader: { uptimeMs: 0 } } as Status;
  };
  const feed = new StatusFeed(status);
  const watch = feed.watch()!;
  feed.changed();
  feed.close();
  feed.changed();
  expect(feed.watch()).toBeUndefined();
  vi.advanceTimersByTime(10 * statusFeedLimits.periodMs);
  expect(watch.isClosed).toBe(true);
  expect(asked).toBe(1);
});
