/** Work that goes on until it is told to end, and what of it has begun. */
export class Work {
  readonly begun: string[] = [];
  readonly #end = Promise.withResolvers<void>();

  on(name: string): () => Promise<void> {
    return () => {
      this.begun.push(name);
      return this.#end.promise;
    };
  }

  countOf(name: string): number {
    return this.begun.filter((one) => one === name).length;
  }

  end(): void {
    this.#end.resolve();
  }
}
