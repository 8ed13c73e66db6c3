import { createServer, type Server } from 'node:http';

import express from 'express';

export interface OperationsParts {
  readonly metrics: { readonly text: () => Promise<string>; readonly contentType: string };
  /** What readiness still waits for; empty when the webhook may be called. */
  readonly notReady: () => readonly string[];
}

/**
 * The second port, over plain http: it answers while TLS is broken and while the webhook is
 * overloaded. Readiness says nothing of registries: a registry that is down must not take the
 * webhook away from all the others.
 */
export function createOperationsServer({ metrics, notReady }: OperationsParts): Server {
  const app = express();
  app.disable('x-powered-by');
  app.disable('etag');
  app.get('/healthz', (_request, response) => {
    response.type('text/plain').send('ok\n');
  });
  app.get('/readyz', (_request, response) => {
    const waiting = notReady();
    const text = waiting.length === 0 ? 'ok\n' : `not ready: ${waiting.join(', ')}\n`;
    response
      .status(waiting.length === 0 ? 200 : 503)
      .type('text/plain')
      .send(text);
  });
  app.get('/metrics', async (_request, response) => {
    const text = await metrics.text();
    response.setHeader('content-type', metrics.contentType);
    response.end(text);
  });
  return createServer(app);
}
