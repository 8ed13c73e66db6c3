import { randomBytes } from 'node:crypto';

import { craneDigest } from './crane.ts';
import { copyTag, type Format, type PushTarget, pushImage, pushIndex } from './image.ts';
import type { Registry } from './registry.ts';
import { manifestLookUps } from './registry.ts';

/** Pushes something new, and gives its digest. */
export type Push = (target: PushTarget) => Promise<string>;

/** An image in a repository of its own, whose tag can be moved. */
export class TestImage {
  readonly #push: Push;
  readonly registry: Registry;
  readonly repository: string;
  readonly tag: string;

  private constructor(registry: Registry, tag: string, push: Push) {
    this.registry = registry;
    this.repository = `e2e/${randomBytes(6).toString('hex')}`;
    this.tag = tag;
    this.#push = push;
  }

  /** Pushes an image of one platform. */
  static async ofOnePlatform(registry: Registry, tag: string = '1'): Promise<TestImage> {
    const image = new TestImage(registry, tag, (target) => pushImage(target));
    await image.move();
    return image;
  }

  /** Pushes by the given means, each time the tag is moved. */
  static async pushedBy(registry: Registry, push: Push): Promise<TestImage> {
    const image = new TestImage(registry, '1', push);
    await image.move();
    return image;
  }

  /** Pushes an index of two platforms. */
  static async ofTwoPlatforms(registry: Registry, format: Format = 'oci'): Promise<TestImage> {
    const image = new TestImage(registry, '1', (target) => pushIndex(target, format));
    await image.move();
    return image;
  }

  /** The name without tag and digest, as a user writes it. */
  get name(): string {
    return `${this.registry.host}/${this.repository}`;
  }

  get tagged(): string {
    return `${this.name}:${this.tag}`;
  }

  /** Pushes other bytes under the same tag, and gives their digest. */
  async move(): Promise<string> {
    return this.#push({ registry: this.registry, repository: this.repository, tag: this.tag });
  }

  /** Puts the image under more tags. */
  async tagAs(tags: readonly string[]): Promise<void> {
    const target = { registry: this.registry, repository: this.repository, tag: this.tag };
    for (let at = 0; at < tags.length; at += 32) {
      await Promise.all(tags.slice(at, at + 32).map((tag) => copyTag(target, tag)));
    }
  }

  /** Takes the tag away; what it named stays. */
  untag(): Promise<void> {
    return this.#delete(this.tag);
  }

  /** Takes what a digest names away, and all tags that name it. */
  deleteDigest(digest: string): Promise<void> {
    return this.#delete(digest);
  }

  /** What the tag points at now, as crane says. */
  async digest(): Promise<string> {
    return craneDigest(this.registry, this.tagged);
  }

  /** The reference that a pin of the tag as it stands now must give. */
  async pinned(): Promise<string> {
    return `${this.name}@${await this.digest()}`;
  }

  /** How often anybody but crane asked the registry for its manifest. */
  async lookUps(): Promise<number> {
    return manifestLookUps(this.registry, this.repository);
  }

  async #delete(name: string): Promise<void> {
    const url = `http://${this.registry.host}/v2/${this.repository}/manifests/${name}`;
    const { status } = await fetch(url, { method: 'DELETE' });
    if (status !== 202) throw new Error(`DELETE ${url} answered ${status}`);
  }
}
