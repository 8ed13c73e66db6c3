import { isJsonObject, type JsonObject, listOf } from '../json.ts';
import type { ApiAnswer, AskApiServer } from './api-server.ts';
import type { Fact } from './fact.ts';

/** A path of the API server, and the right that it takes. */
export interface Asked {
  readonly path: string;
  /** As `kubectl auth can-i` takes it: `get services --namespace tagpin-system`. */
  readonly right: string;
}

const MAX_PAGES = 20;

/** An object, or whatever JSON stands at a path. */
export async function readObject(ask: AskApiServer, asked: Asked): Promise<Fact<JsonObject>> {
  const answer = await ask({ method: 'GET', path: asked.path });
  if (answer.status !== 200) return notRead(asked, answer);
  return isJsonObject(answer.value)
    ? { state: 'read', value: answer.value }
    : { state: 'unread', why: 'what the API server answered is no object' };
}

/** The objects of a list; of more than twenty pages the first. */
export async function readList(
  ask: AskApiServer,
  { path, right }: Asked,
  limit = 500,
): Promise<Fact<readonly JsonObject[]>> {
  const items: JsonObject[] = [];
  let next = '';
  for (let page = 0; page < MAX_PAGES; page += 1) {
    const query = new URLSearchParams({
      limit: String(limit),
      ...(next !== '' && { continue: next }),
    });
    const joint = path.includes('?') ? '&' : '?';
    // oxlint-disable-next-line no-await-in-loop -- a page tells where the next one begins
    const fact = await readObject(ask, { path: `${path}${joint}${query.toString()}`, right });
    if (fact.state !== 'read') return fact;
    items.push(...listOf(fact.value, 'items').filter(isJsonObject));
    const metadata = fact.value['metadata'];
    const more = isJsonObject(metadata) ? metadata['continue'] : undefined;
    if (typeof more !== 'string' || more === '') break;
    next = more;
  }
  return { state: 'read', value: items };
}

/** What an answer says that is not what was asked for. */
export function notRead({ right }: Pick<Asked, 'right'>, { status }: ApiAnswer): Fact<never> {
  if (status === 404) return { state: 'absent' };
  if (status === 403) return { state: 'unread', why: `you may not ${right}`, right };
  return { state: 'unread', why: `the API server answered ${status} when asked to ${right}` };
}
