/** What can be wrong with a key folder or with what is asked of it; each message says what to do. */

/** Whatever a user of the keys can do something about. */
export abstract class KeyError extends Error {
  /** For programs; lower case with dashes. */
  abstract readonly code: string;
}

/** The folder, or a file in it, is not what it must be. */
export class KeyFolderUnusable extends KeyError {
  override readonly name = "KeyFolderUnusable";
  readonly code = "keys-unusable";
  readonly path: string;

  constructor(path: string, problem: string) {
    super(`${path} ${problem}`);
    this.path = path;
  }
}

export class NoKeys extends KeyError {
  override readonly name = "NoKeys";
  readonly code = "no-keys";

  constructor(path: string) {
    super(`There are no keys in ${path}; make them with covey keys init, once for a swarm.`);
  }
}

export class KeysExist extends KeyError {
  override readonly name = "KeysExist";
  readonly code = "keys-exist";

  constructor(path: string, swarm: string) {
    super(
      `${path} holds the keys of the swarm ${swarm} already; covey keys issue adds members, and covey keys rotate --all replaces every one.`,
    );
  }
}

export class KeysInUse extends KeyError {
  override readonly name = "KeysInUse";
  readonly code = "keys-in-use";

  constructor(path: string) {
    super(`Another process is at work on ${path}; try again when it is done.`);
  }
}

export class WrongPassphrase extends KeyError {
  override readonly name = "WrongPassphrase";
  readonly code = "wrong-passphrase";

  constructor(path: string) {
    super(`The passphrase does not open ${path}; try again, and mind the keyboard's layout.`);
  }
}

export class NameTaken extends KeyError {
  override readonly name = "NameTaken";
  readonly code = "name-taken";

  constructor(name: string, role: string, issuedAt: string, isFileThere: boolean) {
    const file = isFileThere ? "" : " whose file is gone";
    super(
      `${name} has an identity (${role}, of ${issuedAt.slice(0, 10)})${file}; revoke it first: covey keys revoke ${name}.`,
    );
  }
}

export class NoSuchIdentity extends KeyError {
  override readonly name = "NoSuchIdentity";
  readonly code = "no-such-identity";

  constructor(name: string) {
    super(`Nobody was ever issued an identity under the name ${name}; covey keys list shows who was.`);
  }
}

export class AlreadyRevoked extends KeyError {
  override readonly name = "AlreadyRevoked";
  readonly code = "already-revoked";

  constructor(name: string, at: string, why: string) {
    super(
      `${name} was revoked on ${at.slice(0, 10)} already (${why}); covey keys issue ${name} gives it a new identity.`,
    );
  }
}

export class TooManyRevoked extends KeyError {
  override readonly name = "TooManyRevoked";
  readonly code = "too-many-revoked";

  constructor(revokedMax: number) {
    super(
      `${revokedMax} identities are revoked, and no more can be listed; covey keys rotate --all issues everybody anew and begins an empty list.`,
    );
  }
}

/** What was asked for cannot be issued. */
export class CannotIssue extends KeyError {
  override readonly name = "CannotIssue";
  readonly code = "wrong-input";
}

/** What was given is no release. */
export class CannotSign extends KeyError {
  override readonly name = "CannotSign";
  readonly code = "wrong-input";
}
