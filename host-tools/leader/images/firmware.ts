/** All that a host does about its boards' firmware, put together: the agreed releases, the images that they name, and both ways in which these travel. */
import { join } from "node:path";
import type { Ciphers } from "../../../protocols/security/ciphers.ts";
import type { Release } from "../../../protocols/update/release.ts";
import type { SwarmDefinition } from "../../swarm-file/definition.ts";
import type { ReleaseStatus, Releases as ReleasesListed } from "../api/types/releases.ts";
import type { BoardStatus } from "../api/types/status.ts";
import type { Audit } from "../audit.ts";
import type { BoardLink } from "../broker/broker-types.ts";
import type { HostFrame } from "../hosts/host-frames.ts";
import type { Log } from "../log.ts";
import type { AgreedState } from "../state/agreed-state.ts";
import type { Violations } from "../violations.ts";
import { ChunkServer } from "./chunk-server.ts";
import { ImageExchange } from "./image-exchange.ts";
import { digestText } from "./image-id.ts";
import { ImageStore } from "./image-store.ts";
import { type ProposalOptions, ReleaseProposals } from "./release-proposals.ts";
import { type AgreedRelease, Releases } from "./releases.ts";

export interface FirmwareOptions {
  readonly definition: SwarmDefinition;
  readonly hostName: string;
  /** Of the host. */
  readonly directory: string;
  readonly root: Uint8Array;
  readonly ciphers: Ciphers;
  readonly state: AgreedState;
  readonly violations: Violations;
  readonly audit: Audit;
  readonly log: Log;
  readonly put: ProposalOptions["put"];
  readonly before?: ProposalOptions["before"];
  /** To another host. */
  send(host: string, frame: HostFrame): boolean;
  broadcast(frame: HostFrame): void;
  /** Something that the status shows has changed. */
  onChange(): void;
}

export class Firmware {
  readonly releases: Releases;
  readonly images: ImageStore;
  readonly exchange: ImageExchange;
  readonly chunks: ChunkServer;
  readonly proposals: ReleaseProposals;
  readonly #hostName: string;
  /** base64url. */
  readonly #root: string;

  private constructor(
    { hostName, root }: FirmwareOptions,
    releases: Releases,
    images: ImageStore,
    exchange: ImageExchange,
    chunks: ChunkServer,
    proposals: ReleaseProposals,
  ) {
    this.#hostName = hostName;
    this.#root = Buffer.from(root).toString("base64url");
    this.releases = releases;
    this.images = images;
    this.exchange = exchange;
    this.chunks = chunks;
    this.proposals = proposals;
  }

  /** Looks through the images on disk. Throws what the file system does. */
  static async open(options: FirmwareOptions): Promise<Firmware> {
    const { definition, directory, audit, log, send, broadcast, onChange } = options;
    const releases = new Releases({
      ...{ swarm: definition.name, boards: definition.boards },
      ...options,
      onChange: () => {
        exchange.check();
        onChange();
      },
    });
    const isNamed = (id: string) => releases.isNamed(id);
    const images = await ImageStore.open({
      ...{ directory: join(directory, "images"), log, isNamed },
      onChange: () => exchange.storeChanged(),
    });
    const wanted = (): Release[] => [...releases.all.map(({ release }) => release), ...proposals.awaited];
    const exchange: ImageExchange = new ImageExchange({ store: images, log, audit, wanted, send, broadcast });
    const proposals: ReleaseProposals = new ReleaseProposals({
      ...{ boards: definition.boards, releases, images, audit, state: options.state, put: options.put },
      before: async (by) => options.before?.(by),
      onMissing: () => exchange.check(),
    });
    const find = (id: string) => (isNamed(id) ? images.find(id) : undefined);
    return new Firmware(options, releases, images, exchange, new ChunkServer({ log, find }), proposals);
  }

  /** Entries were applied, or a snapshot restored. */
  stateChanged(): void {
    this.releases.stateChanged();
  }

  disconnected(link: BoardLink): void {
    this.chunks.gone(link);
  }

  listing(boards: readonly BoardStatus[]): ReleasesListed {
    const { releases } = this;
    return {
      root: this.#root,
      sequence: releases.sequence,
      releases: releases.all.map((agreed) => this.#describe(agreed)),
      boards: boards.map(({ id, model, link, role, firmware }) => ({
        ...{ id, model, link, role, firmware },
        target: releases.for(id)?.release.sequence ?? 0,
      })),
    };
  }

  async stop(): Promise<void> {
    this.exchange.stop();
    this.chunks.stop();
    await this.images.close();
  }

  #describe({ release, id, board, index }: AgreedRelease): ReleaseStatus {
    const { model, sequence, firmware, sizeBytes, digest } = release;
    const own = this.images.has(id) ? [this.#hostName] : [];
    const hosts = [...own, ...this.exchange.hostsWith(id)].sort();
    return { model, board, sequence, firmware, sizeBytes, digest: digestText(digest), index, hosts };
  }
}
