/** The leader as the HTTP interface sees it: one status put together from its parts, and the few things one can ask of it. */
import type { Server } from "node:http";
import type { SwarmDefinition } from "../swarm-file/definition.ts";
import type { AgreedState } from "./agreed-state.ts";
import type { LeaderView } from "./api.ts";
import { ApiFailure } from "./api-failure.ts";
import type { Counters, LogEntry, SetResult, Setting, Status, StoredReading } from "./api-types.ts";
import type { BoardRegistry } from "./board-registry.ts";
import type { Broker } from "./broker.ts";
import type { Deployment } from "./deployment.ts";
import { describeEntry } from "./entries.ts";
import { portOf } from "./listen.ts";
import { agreeOn } from "./proposer.ts";
import type { Replica } from "./raft/replica.ts";
import { checkSetting, SettingRefused, type SettingValue } from "./settings.ts";
import type { StatusFeed } from "./status-feed.ts";
import type { ReadingQuery, Telemetry } from "./telemetry.ts";
import type { Violations } from "./violations.ts";

export interface LeaderParts {
  readonly definition: SwarmDefinition;
  readonly state: AgreedState;
  readonly violations: Violations;
  readonly boards: BoardRegistry;
  readonly telemetry: Telemetry;
  readonly replica: Replica;
  readonly deployment: Deployment;
  readonly broker: Broker;
  readonly server: Server;
  readonly feed: StatusFeed;
}

export class LeaderOverview implements LeaderView {
  readonly feed: StatusFeed;
  readonly #parts: LeaderParts;
  readonly #startedMs = performance.now();

  constructor(parts: LeaderParts) {
    this.#parts = parts;
    this.feed = parts.feed;
  }

  status(): Status {
    const { definition, replica, boards, violations, broker, server } = this.#parts;
    const { id, role, term, lastIndex, commitIndex, appliedIndex, voters } = replica.status();
    return {
      swarm: definition.name,
      leader: {
        id,
        role,
        term,
        lastIndex,
        commitIndex,
        appliedIndex,
        pid: process.pid,
        uptimeMs: Math.round(performance.now() - this.#startedMs),
        mqttPort: broker.port,
        httpPort: portOf(server),
        voters,
      },
      boards: boards.status((member) => voters.includes(member)),
      settings: this.settings(),
      counters: this.#counters(),
      violations: violations.sentences,
    };
  }

  settings(): Record<string, Setting> {
    const { definition, state } = this.#parts;
    const settings: Record<string, Setting> = {};
    for (const [key, takes] of Object.entries(definition.settings)) {
      const agreed = state.get(key);
      const value = (agreed?.value ?? takes.initial) as SettingValue;
      const unit = takes.type === "number" ? takes.unit : "";
      settings[key] = { value, unit, index: agreed?.index ?? 0, takes };
    }
    return settings;
  }

  async set(key: string, value: unknown): Promise<SetResult> {
    const { definition } = this.#parts;
    const checked = this.#check(definition, key, value);
    const { index, term } = await agreeOn(this.#parts, { key, value: checked });
    return { key, value: checked, index, term };
  }

  log(from: number | undefined, limit: number): LogEntry[] {
    const { lastIndex, commitIndex } = this.#parts.replica.status();
    const first = from ?? Math.max(1, lastIndex - limit + 1);
    return this.#parts.replica.entries(first, limit).map((entry) => describeEntry(entry, commitIndex));
  }

  newestReadings(query: ReadingQuery, limit: number): StoredReading[] {
    return this.#parts.telemetry.newest(query, limit);
  }

  readingPages(query: ReadingQuery): Iterable<readonly StoredReading[]> {
    return this.#parts.telemetry.pages(query);
  }

  #counters(): Counters {
    return { ...this.#parts.broker.counters, readingsStored: this.#parts.telemetry.stored };
  }

  #check(definition: SwarmDefinition, key: string, value: unknown): SettingValue {
    try {
      return checkSetting(definition.settings, key, value);
    } catch (error) {
      throw error instanceof SettingRefused ? new ApiFailure(error.code, error.message) : error;
    }
  }
}
