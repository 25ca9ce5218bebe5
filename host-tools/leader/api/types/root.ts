/** Whose keys sign and seal what boards take. */
export interface RootOfSwarm {
  /** Public key of the swarm's root, x and y; base64url. */
  readonly root: string;
}
