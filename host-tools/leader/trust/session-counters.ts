/** What came of all attempts to be somebody here, since the host started. */
export interface SessionCounters {
  /** Sessions that came up by a whole handshake. */
  handshakes: number;
  /** Sessions that went on under new keys. */
  refreshes: number;
  /** Handshakes that ended in a refusal, either side's. */
  handshakesFailed: number;
  /** Connections refused at once: no identity of this swarm, revoked, or another's name. */
  strangers: number;
  /** Connections without a session in time. */
  unproven: number;
  /** Records that did not open, by what they were. */
  recordsMalformed: number;
  recordsReplayed: number;
  recordsForged: number;
  /** Well sealed, and beyond its sender's scope. */
  beyondScope: number;
}

export function newSessionCounters(): SessionCounters {
  return {
    handshakes: 0,
    refreshes: 0,
    handshakesFailed: 0,
    strangers: 0,
    unproven: 0,
    recordsMalformed: 0,
    recordsReplayed: 0,
    recordsForged: 0,
    beyondScope: 0,
  };
}
