import { readFileSync } from 'node:fs';
import { createServer } from 'node:https';

import express, { type Express } from 'express';

/**
 * What express 5 can do at most, in two readings: `plain` is express as it comes, with a JSON
 * answer; `lean` has no ETag, and its answer ready as text. Both parse the review with
 * `express.json()` and always answer the same.
 *
 * `node ceiling.ts plain|lean CERTIFICATE KEY PORT ANSWER`
 */
const [reading = '', certificate = '', key = '', port = '', answer = ''] = process.argv.slice(2);
const text = readFileSync(answer, 'utf8');

function plain(): Express {
  const constant: unknown = JSON.parse(text);
  const app = express();
  app.use(express.json({ limit: '7mb' }));
  app.post('/admission/pin', (_request, response) => {
    response.json(constant);
  });
  return app;
}

function lean(): Express {
  const app = express();
  app.disable('x-powered-by');
  app.disable('etag');
  app.use(express.json({ limit: '7mb' }));
  app.post('/admission/pin', (_request, response) => {
    response.type('application/json').send(text);
  });
  return app;
}

const pair = { cert: readFileSync(certificate), key: readFileSync(key) };
const address = { host: '127.0.0.1', port: Number(port) };
createServer(pair, reading === 'lean' ? lean() : plain()).listen(address);
