/** A healthy swarm's status, for tests that change one thing about it. */
import type { BoardStatus, HostStatus, Status } from "../../../../host-tools/leader/api/types/status.ts";

export function sampleBoard(id: string, over: Partial<BoardStatus> = {}): BoardStatus {
  return {
    id,
    model: "esp32c3-devkit",
    memberId: `${id}.5f3a90c2`,
    role: "learner",
    link: "up",
    hosts: ["a"],
    term: 2,
    matchIndex: 9,
    appliedIndex: 9,
    heapUsedBytes: 40_960,
    heapPeakBytes: 51_200,
    arenaBytes: 94_208,
    samplesIn: 120,
    reportsOut: 30,
    readingsDropped: 0,
    readingsFenced: 0,
    reconnects: 0,
    outputs: [{ name: "fan", value: 90, cause: "rule", kind: "pwm" }],
    readings: [{ metric: "temperature", value: 28.31, unit: "°C", atMs: 0, quality: 0 }],
    lastSeenMs: 0,
    cloned: false,
    ...over,
  };
}

export function sampleHost(name: string, over: Partial<HostStatus> = {}): HostStatus {
  return {
    name,
    memberId: `${name}.00000001`,
    role: "follower",
    link: "up",
    isVoter: true,
    term: 2,
    commitIndex: 9,
    appliedIndex: 9,
    url: "http://127.0.0.1:7800",
    boards: 1,
    ...over,
  };
}

export function sampleStatus(boards: readonly BoardStatus[], over: Partial<Status> = {}): Status {
  return {
    swarm: "greenhouse",
    isConfirmed: true,
    leader: {
      id: "a.11aa22bb",
      role: "leader",
      term: 2,
      lastIndex: 9,
      commitIndex: 9,
      appliedIndex: 9,
      pid: 4711,
      uptimeMs: 83_000,
      mqttPort: 7883,
      httpPort: 7800,
      voters: ["a.11aa22bb"],
    },
    hosts: [sampleHost("a", { role: "leader", memberId: "a.11aa22bb" })],
    boards,
    settings: {},
    counters: {
      messagesIn: 1,
      messagesOut: 1,
      bytesIn: 1,
      bytesOut: 1,
      payloadBytesIn: 1,
      payloadBytesOut: 1,
      refused: 0,
      garbage: 0,
      disconnects: 0,
      turnedAway: 0,
      sessions: {
        handshakes: 0,
        refreshes: 0,
        handshakesFailed: 0,
        strangers: 0,
        unproven: 0,
        recordsMalformed: 0,
        recordsReplayed: 0,
        recordsForged: 0,
        beyondScope: 0,
      },
      publications: 0,
      publicationBytes: 0,
      publicationWrites: 0,
      readingsStored: 1234,
      hosts: { framesIn: 0, framesOut: 0, bytesIn: 0, bytesOut: 0, dropped: 0, garbage: 0, refused: 0 },
    },
    violations: [],
    ...over,
  };
}
