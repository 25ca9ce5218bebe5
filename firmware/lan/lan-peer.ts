import type { LanSession } from "./lan-session.ts";

/** Another member of the group, as this board knows it: plain facts, which `Lan` and `LanHandshakes` keep. */
export class LanPeer {
  readonly name: string;
  /** Whether it answers, and this board begins: of two members the one whose name is smaller does. */
  readonly isResponder: boolean;
  /** Where its latest record came from; undefined without a session. */
  address: string | undefined;
  /** Where it is as an announcement says, which anybody may have made. */
  saidAddress: string | undefined;
  session: LanSession | undefined;
  /** Message 4, until the peer has shown that it has it: a whole datagram. */
  answer: Uint8Array | undefined;
  /** When it last said something that is surely its own, and when something was last sent to it. */
  heardMs = -Infinity;
  sentMs = -Infinity;
  /** A session with it is wanted until then, though none is kept alive: by this board, and by the peer. */
  wantedUntilMs = -Infinity;
  askedUntilMs = -Infinity;
  /** When its question was last answered. */
  answeredMs = -Infinity;
  /** No handshake with it is begun before; and the pause after the next that fails. */
  retryMs = -Infinity;
  pauseMs = 0;
  /** Whether it said that it is there, though it has been silent. */
  hasCome = false;
  /** Whether it is being looked for. */
  isSought = false;

  constructor(name: string, isResponder: boolean) {
    this.name = name;
    this.isResponder = isResponder;
  }
}
