/**
 * The topics of a swarm.
 *
 * ```
 * covey/SWARM/up/BOARD/hello | raft | report | health | gone     from a board
 * covey/SWARM/down/BOARD/raft | time                             to a board
 * covey/SWARM/all/raft                                           committed entries, published once for all boards that listen
 * ```
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
