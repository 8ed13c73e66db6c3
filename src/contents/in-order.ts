/**
 * Asks for every item, a bounded number at a time, and gives the answers in the order of the items.
 * `ask` must not reject. One slow answer holds back those behind it, and no more than `atATime` of them.
 */
export async function* inOrder<Item, Answer>(
  items: Iterable<Item>,
  atATime: number,
  ask: (item: Item) => Promise<Answer>,
): AsyncGenerator<Answer> {
  const asked: Promise<Answer>[] = [];
  for (const item of items) {
    const first = asked.length < atATime ? undefined : asked.shift();
    if (first !== undefined) yield await first;
    asked.push(ask(item));
  }
  for (const answer of asked) yield await answer;
}
