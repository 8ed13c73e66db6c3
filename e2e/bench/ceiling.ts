import { readFileSync } from 'node:fs';
import { createServer } from 'node:https';

import express from 'express';

/**
 * What express 5 can do at most: parse the review with its own body parser, and answer always the
 * same. `node ceiling.ts CERTIFICATE KEY PORT ANSWER`
 */
const [certificate = '', key = '', port = '', answer = ''] = process.argv.slice(2);
const text = readFileSync(answer, 'utf8');
const app = express();
app.disable('x-powered-by');
app.disable('etag');
app.use(express.json({ limit: '7mb' }));
app.post('/admission/pin', (_request, response) => {
  response.type('application/json').send(text);
});
createServer({ cert: readFileSync(certificate), key: readFileSync(key) }, app).listen({
  host: '127.0.0.1',
  port: Number(port),
});
