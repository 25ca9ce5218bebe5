import { datagramBytesMax } from "../../protocols/lan/datagrams.ts";

export const lanLimits = Object.freeze({
  /** Other members of a group. */
  peersMax: 6,
  /** Of a message: what is left of a datagram after a tag and a record. */
  messageBytesMax: datagramBytesMax - 32,
  /** Datagrams that wait for the board's turn, and their bytes; what comes beyond is lost. */
  waitingMax: 8,
  waitingBytesMax: 4_096,
  /** A session that is kept alive has something said in it so often. */
  aliveMs: 2_000,
  /** A peer that was not heard for so long may be elsewhere, or have forgotten the session. */
  silentMs: 5_000,
  /** How long a session is wanted after something was to be sent, or after the peer asked. */
  wantedMs: 10_000,
  /** A session in which nothing was said for so long, and nothing need be, is forgotten. */
  idleMs: 300_000,
  /** Between questions where the peers are: the first pause and the longest. */
  askFirstMs: 1_000,
  askMostMs: 16_000,
  /** Between answers to one peer, and between questions to whoever sends what is of no session here. */
  answerEveryMs: 500,
  /** After a failure to open the socket. */
  openAgainMs: 10_000,
});

export const handshakeLimits = Object.freeze({
  /** Until a datagram is repeated, twice as long each time: the first pause and the longest. */
  repeatFirstMs: 150,
  repeatMostMs: 600,
  /** Of each datagram, until the attempt is given up: after 4 s. */
  sendsMax: 8,
  /** Between attempts with one peer: the first pause and the longest. */
  pauseFirstMs: 1_000,
  pauseMostMs: 30_000,
  /** From a session with a peer to the next with the same. */
  againMs: 10_000,
  /** Whoever answers keeps one handshake half-open for so long, and for another only so long. */
  halfOpenMs: 5_000,
  halfOpenLeastMs: 1_000,
  /** Handshakes of others that may begin at once; each is a key pair and two multiplications on the curve. */
  beginsMax: 8,
  /** One more may begin after so long. */
  beginEveryMs: 2_000,
  /** From the begin of one to the next that comes from the same address; so many addresses are remembered. An honest board gives an attempt longer than that. */
  addressEveryMs: 4_000,
  addressesMax: 4,
  /** How long message 4 can be had again. */
  answerMs: 10_000,
});
