import type { Random } from '../simulation/random.ts';
import type { KnownTag } from './admission.ts';
import type { RegistryName } from './fault-kind.ts';
import { TagHistory } from './tag-history.ts';

/** Where tags are written. */
export interface TagStore {
  /** A new image under a tag that nobody asks for; gives its digest. */
  readonly push: (repository: string, version: string) => Promise<string>;
  /** The tag names what the version names, from one moment to the next. */
  readonly point: (repository: string, tag: string, version: string) => Promise<void>;
  readonly remove: (repository: string, tag: string) => Promise<void>;
}

/** What a tag is called, where it is written and where it is read. */
interface SoakTagParts {
  readonly registry: RegistryName;
  /** As references have it. */
  readonly host: string;
  readonly repository: string;
  readonly store: TagStore;
}

const TAG = 'stable';
/** Of four moves, one goes back to what the tag had before. */
const SHARE_OF_MOVES_BACK = 0.25;

/** A tag that moves, with all that it ever named. */
export class SoakTag implements KnownTag {
  readonly name: string;
  readonly registry: RegistryName;
  readonly history: TagHistory = new TagHistory();
  readonly #parts: SoakTagParts;
  /** Digests by the number of their version. */
  readonly #versions: string[] = [];
  /** One change at a time. */
  #changed: Promise<void> = Promise.resolve();

  constructor(parts: SoakTagParts) {
    this.#parts = parts;
    this.registry = parts.registry;
    this.name = `${parts.host}/${parts.repository}`;
  }

  /** As a user writes it. */
  get image(): string {
    return `${this.name}:${TAG}`;
  }

  /** Something that it named at some time, by digest. */
  pinned(random: Random): string {
    return `${this.name}@${this.#versions[random.below(this.#versions.length)]}`;
  }

  /** To something new, or back to something old. */
  move(random: Random): Promise<void> {
    const isBack = random.next() < SHARE_OF_MOVES_BACK && this.#versions.length > 1;
    const version = isBack ? random.below(this.#versions.length) : this.#versions.length;
    return this.#change(() => this.#point(version));
  }

  /** Until the function is called that it gives, there is no such tag. */
  async takeAway(random: Random): Promise<() => Promise<void>> {
    const { store, repository } = this.#parts;
    await this.#change(async () => {
      this.history.begin(undefined, Date.now());
      await store.remove(repository, TAG);
    });
    return () => this.move(random);
  }

  async #point(version: number): Promise<void> {
    const { store, repository } = this.#parts;
    // Before the tag moves: what it will name is known before anybody can read it there.
    this.#versions[version] ??= await store.push(repository, `v${version}`);
    this.history.begin(this.#versions[version], Date.now());
    await store.point(repository, TAG, `v${version}`);
  }

  #change(how: () => Promise<void>): Promise<void> {
    const changed = this.#changed.then(how).then(() => this.history.settle(Date.now()));
    // A change that failed is told to whoever asked for it.
    this.#changed = changed.catch(() => {});
    return changed;
  }
}
