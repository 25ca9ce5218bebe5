import type {
  Actuators,
  Bluetooth,
  BoardConfig,
  Button,
  Ciphers,
  FlashRegion,
  KeyValue,
  Light,
  LogLevel,
  Network,
  Random,
  Sensors,
  SerialLine,
  StartReason,
  UpdateSlot,
} from "../ports.ts";

/**
 * What surrounds one simulated board: its ports less the clock and the heap, which belong to the engine that runs it.
 *
 * Written once, by the simulator, for both engines. In process a `VirtualBoard` calls it directly; for a board in XS
 * the parent answers each call of `desktop/calls.ts` from it. It may call the network's callbacks at any moment: both
 * engines queue what arrives and hand it to the board on its next turn, in order.
 */
export interface BoardWorld {
  readonly random: Random;
  readonly ciphers: Ciphers;
  readonly flash: FlashRegion;
  readonly network: Network;
  readonly sensors: Sensors;
  readonly actuators: Actuators;
  readonly system: WorldSystem;
  readonly keyValue?: KeyValue | undefined;
  readonly update?: UpdateSlot | undefined;
  readonly keeping?: FlashRegion | undefined;
  readonly serial?: SerialLine | undefined;
  readonly bluetooth?: Bluetooth | undefined;
  readonly button?: Button | undefined;
  readonly light?: Light | undefined;
}

export interface WorldSystem {
  readonly config: BoardConfig;
  readonly startReason?: StartReason | undefined;
  /** As in `System`. A board in XS knows neither of the two: its parent watches its process. */
  readonly logLevel?: LogLevel;
  feedWatchdog?(timeoutMs: number): void;
  /** As in `System`; absent where there are no updates. */
  markValid?(): void;
  log(level: LogLevel, text: string): void;
  /** The board asks for a restart and does nothing more; the world discards it and boots another on the same flash. */
  restart(reason: string): void;
  /** As `restart`, but the world boots the other one only after so long. Absent where boards never sleep. */
  deepSleep?(durationMs: number): void;
}
