import type { ApiAnswer, AskApiServer } from '../doctor/api-server.ts';
import { PinError } from '../errors.ts';
import { isJsonObject, parseJson, textOf } from '../json.ts';
import { type Connected, connect, inTime, type Kubeconfig } from './connection.ts';
import { causeOf } from './failed-request.ts';
import { readAtMost } from './limited-body.ts';

const REQUEST_TIME_MS = 20_000;
/** The metrics of an API server with many kinds have some ten megabytes. */
const MAX_BYTES = 64 * 1024 * 1024;

/**
 * Any request to the API server, its answer as it is.
 *
 * @param kubeconfig undefined: the ServiceAccount of the Pod that this runs in
 */
export function createApiRequests(kubeconfig: Kubeconfig | undefined): AskApiServer {
  let api: Promise<Connected> | undefined;
  return async ({ method, path, body }) => {
    api ??= connect(kubeconfig, 'name a kubeconfig');
    const { send, server } = await api;
    const request = { method, path, body: body && JSON.stringify(body) };
    try {
      return await inTime(REQUEST_TIME_MS, async (signal): Promise<ApiAnswer> => {
        const answer = await send(request, signal);
        const text = await readAtMost(answer.body, MAX_BYTES);
        const value = parseJson(text);
        const isStatus = isJsonObject(value) && value['kind'] === 'Status';
        const dateMs = Date.parse(answer.headers.get('date') ?? '');
        return {
          status: answer.status,
          message: isStatus ? textOf(value, 'message') : undefined,
          value,
          text,
          warnings: warningsIn(answer.headers.get('warning') ?? ''),
          dateMs: Number.isNaN(dateMs) ? undefined : dateMs,
        };
      });
    } catch (caught) {
      const message = `The API server ${server} did not answer ${method} ${path.split('?', 1).join()}`;
      throw new PinError('cluster_unreadable', message, causeOf(caught));
    }
  };
}

/** `299 - "text", 299 - "another"`: code, agent, and a quoted string (RFC 9110 section 5.6.4). */
const WARNING = /\d{3} \S+ "((?:[^"\\]|\\.)*)"/g;

function warningsIn(header: string): readonly string[] {
  return [...header.matchAll(WARNING)].map(([, text = '']) => text.replaceAll(/\\(.)/g, '$1'));
}
