import { readFileSync } from 'node:fs';
import { createServer } from 'node:https';

import express from 'express';

/**
 * What express 5 can do at most, as it comes: it parses the review with `express.json()`, and always
 * answers the same JSON.
 *
 * `node ceiling.ts CERTIFICATE KEY PORT ANSWER`
 */
const [certificate = '', key = '', port = '', file = ''] = process.argv.slice(2);
const answer: unknown = JSON.parse(readFileSync(file, 'utf8'));

const app = express();
app.use(express.json({ limit: '7mb' }));
app.post('/admission/pin', (_request, response) => {
  response.json(answer);
});

const pair = { cert: readFileSync(certificate), key: readFileSync(key) };
createServer(pair, app).listen({ host: '127.0.0.1', port: Number(port) });
