import type { AzureParts } from '../../src/credentials/sources/azure.ts';
import type { ScriptedRegistry } from './scripted-registry.ts';

type HttpClient = NonNullable<NonNullable<AzureParts['identity']>['httpClient']>;

/** The HTTP of Azure's libraries with every host played by one server, as in fetchFrom(). */
export function aadClient({ origin }: ScriptedRegistry): HttpClient {
  return {
    sendRequest: async (request) => {
      const url = new URL(request.url);
      const { body, method, abortSignal } = request;
      const response = await fetch(`${origin}/${url.host}${url.pathname}${url.search}`, {
        method,
        headers: request.headers.toJSON(),
        ...(typeof body === 'string' && { body }),
        ...(abortSignal instanceof AbortSignal && { signal: abortSignal }),
      });
      const headers = request.headers;
      for (const name of Object.keys(headers.toJSON())) headers.delete(name);
      for (const [name, value] of response.headers) headers.set(name, value);
      return { request, headers, status: response.status, bodyAsText: await response.text() };
    },
  };
}
