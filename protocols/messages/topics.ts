/**
 * The topics of a swarm.
 *
 * ```
 * covey/SWARM/up/BOARD/edhoc | hello | raft | report | health | update | query | action | lease | turn | keep | register | gone     from a board
 * covey/SWARM/down/BOARD/edhoc | raft | time | group | update | query | lease | keep | register                                   to a board
 * covey/SWARM/all/raft                                                   committed entries, published once for all boards that listen
 * ```
 *
 * On `edhoc` go the frames of the session (`protocols/security/session/frames.ts`), and `gone` is a broker's to say; all else is sealed: within the
 * session, and on `all` under the key of the host that publishes.
 */
export interface BoardTopics {
  /** The channel follows. */
  readonly up: string;
  readonly down: string;
  readonly all: string;
}

export function boardTopics(swarm: string, board: string): BoardTopics {
  return {
    up: `covey/${swarm}/up/${board}/`,
    down: `covey/${swarm}/down/${board}/`,
    all: publicationTopic(swarm),
  };
}

export function publicationTopic(swarm: string): string {
  return `covey/${swarm}/all/raft`;
}
