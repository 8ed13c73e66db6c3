import { readFileSync } from 'node:fs';
import { createServer } from 'node:https';

/**
 * A webhook that does nothing: whatever it is asked, it answers with one patch and the review's uid,
 * which it cuts out of the text. So what it costs is what the API server itself, TLS and Node need.
 *
 * `node constant-pin.ts CERTIFICATE KEY PORT PATCH`
 */
const [certificate = '', key = '', port = '', patchFile = ''] = process.argv.slice(2);
const patch = readFileSync(patchFile, 'utf8');
/** The first one in an AdmissionReview is that of the request. */
const UID = /"uid":"([-0-9a-f]+)"/;

const pair = { cert: readFileSync(certificate), key: readFileSync(key) };
const server = createServer(pair, (request, response) => {
  const chunks: Buffer[] = [];
  request.on('data', (chunk: Buffer) => chunks.push(chunk));
  request.on('end', () => {
    const [, uid = ''] = UID.exec(Buffer.concat(chunks).toString('latin1')) ?? [];
    const text = `{"apiVersion":"admission.k8s.io/v1","kind":"AdmissionReview","response":{"uid":"${uid}","allowed":true,"patchType":"JSONPatch","patch":"${patch}"}}`;
    response.writeHead(200, { 'content-type': 'application/json', 'content-length': text.length });
    response.end(text);
  });
});
server.keepAliveTimeout = 120_000;
server.listen({ host: '127.0.0.1', port: Number(port) });
