import { once } from 'node:events';
import { type IncomingHttpHeaders, type IncomingMessage, request, type Server } from 'node:http';
import { type AddressInfo, connect } from 'node:net';
import { text } from 'node:stream/consumers';

import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';

import type { DebugQuestion } from '../../src/debug/explain-fields.ts';
import { PAGE_POLICY } from '../../src/debug/page.ts';
import { PinError } from '../../src/errors.ts';
import { createDebugServer } from '../../src/server/debug.ts';
import {
  admissionReport,
  createDebugClock,
  type DebugClock,
  imageReport,
} from '../support/debug.ts';
import { createRecordedLog } from '../support/recorded-log.ts';

const FORM = 'application/x-www-form-urlencoded';
const JSON_TYPE = 'application/json';
const EVIL = '"><script>alert(1)</script>';

interface Answer {
  readonly status: number | undefined;
  readonly headers: IncomingHttpHeaders;
  readonly text: string;
}

interface Call {
  readonly method?: string;
  readonly path?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
}

let server: Server;
let time: DebugClock;
let asked: (readonly [DebugQuestion, string])[];
let explain: (question: DebugQuestion, format: 'text' | 'json') => Promise<string>;
let lines: readonly string[];
let port: number;

beforeEach(async () => {
  time = createDebugClock();
  time.record.review(admissionReport());
  asked = [];
  explain = async (question, format) => {
    asked.push([question, format]);
    return format === 'json' ? '{"outcome":"pinned"}\n' : 'answer  pinned\n';
  };
  const recorded = createRecordedLog();
  ({ lines } = recorded);
  server = createDebugServer({
    overview: () => time.overview(),
    explain: (...question) => explain(...question),
    log: recorded.log,
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  ({ port } = server.address() as AddressInfo);
});
afterEach(() => {
  server.closeAllConnections();
  server.close();
});

async function call({
  method = 'GET',
  path = '/debug',
  headers,
  body,
}: Call = {}): Promise<Answer> {
  const asking = request({ port, host: '127.0.0.1', method, path, headers, agent: false });
  asking.end(body);
  const [response] = (await once(asking, 'response')) as [IncomingMessage];
  return { status: response.statusCode, headers: response.headers, text: await text(response) };
}

async function token(): Promise<string> {
  const page = await call();
  return /name="token" value="([\w-]{43})"/.exec(page.text)?.[1] ?? '';
}

function post(fields: Readonly<Record<string, string>>, headers = {}): Promise<Answer> {
  const body = new URLSearchParams(fields).toString();
  return call({
    method: 'POST',
    path: '/debug/explain',
    headers: { 'content-type': FORM, ...headers },
    body,
  });
}

const QUESTION = { namespace: 'shop', image: 'registry.example.com/shop/web:1.4' };

describe('createDebugServer()', () => {
  it('has a page that no browser keeps, frames, guesses at or tells others of', async () => {
    const { status, headers, text: page } = await call();
    expect(status).toBe(200);
    expect(page).toContain('shop/web-1');
    expect(headers).toMatchObject({
      'content-type': 'text/html; charset=utf-8',
      'content-security-policy': PAGE_POLICY,
      'x-content-type-options': 'nosniff',
      'x-frame-options': 'DENY',
      'referrer-policy': 'no-referrer',
      'cache-control': 'no-store',
      'cross-origin-opener-policy': 'same-origin',
      'cross-origin-resource-policy': 'same-origin',
    });
    expect(headers).not.toHaveProperty('x-powered-by');
    expect(headers).not.toHaveProperty('etag');
  });

  it.each([
    ['another method', { method: 'PUT' }, 405],
    ['another path', { path: '/' + 'x'.repeat(50) }, 404],
    ['another name', { headers: { host: 'attacker.example.com' } }, 421],
    [
      'a body that is none',
      { method: 'POST', path: '/debug/explain', headers: { 'content-type': JSON_TYPE }, body: '{' },
      400,
    ],
  ])('guards the answer to %s by the same headers', async (_what, asking, status) => {
    const answer = await call(asking);
    expect(answer.status).toBe(status);
    expect(answer.headers['content-security-policy']).toBe(PAGE_POLICY);
    expect(answer.headers['x-content-type-options']).toBe('nosniff');
    expect(answer.headers['cache-control']).toBe('no-store');
  });

  it('leads to the page', async () => {
    const { status, headers } = await call({ path: '/' });
    expect([status, headers.location]).toEqual([303, '/debug']);
  });

  it('answers HEAD', async () => {
    const { status, text: body } = await call({ method: 'HEAD' });
    expect([status, body]).toEqual([200, '']);
  });

  it('has all of it as JSON', async () => {
    const { status, headers, text: body } = await call({ path: '/debug.json' });
    expect([status, headers['content-type']]).toEqual([200, 'application/json; charset=utf-8']);
    expect(JSON.parse(body)).toEqual(JSON.parse(JSON.stringify(time.overview())));
  });

  it('filters the decisions of the page and of the JSON', async () => {
    const other = imageReport({
      original: 'quay.io/a/b:1',
      outcome: 'failed',
      reason: 'not_found',
    });
    time.record.review(admissionReport([other], { namespace: 'billing' }));
    const query = 'why=not_found&namespace=billing&text=QUAY';
    const page = await call({ path: `/debug?${query}` });
    expect(page.text).toContain('<span data-shown>1</span> of 2 shown');
    const json = await call({ path: `/debug.json?${query}` });
    expect(JSON.parse(json.text).decisions).toMatchObject([{ namespace: 'billing' }]);
  });

  it('escapes in JSON what could move a cursor', async () => {
    time.record.review(admissionReport([imageReport({ original: 'a\u202Eb\u0007' })]));
    const { text: body } = await call({ path: '/debug.json' });
    expect(body).toContain('"a\\u202eb\\u0007"');
  });

  it('shows what stands in a query as text', async () => {
    const { text: page } = await call({ path: `/debug?text=${encodeURIComponent(EVIL)}` });
    expect(page).not.toContain(EVIL);
    expect(page).toContain('value="&quot;&gt;&lt;script&gt;alert(1)&lt;/script&gt;"');
  });
});

describe('who may ask', () => {
  it.each([
    'localhost',
    'localhost:6060',
    'LOCALHOST:1',
    '127.0.0.1',
    '127.0.0.1:65535',
    '[::1]:6060',
  ])('is who asks for the host %s', async (host) => {
    expect((await call({ headers: { host } })).status).toBe(200);
  });

  it.each([
    'attacker.example.com',
    'attacker.example.com:6060',
    'localhost.attacker.example.com',
    'attacker.localhost',
    '127.0.0.1.attacker.example.com',
    '127.0.0.1@attacker.example.com',
    '127.0.0.2',
    '0.0.0.0:6060',
    '10.0.0.1:6060',
    '[::]:6060',
    'localhost:',
    'localhost:6060:1',
  ])('is not who asks for the host %j, as a name that was rebound', async (host) => {
    const { status, text: page } = await call({ headers: { host } });
    expect(status).toBe(421);
    expect(page).not.toContain('shop/web-1');
  });

  it.each([
    ['no host', 'GET /debug HTTP/1.0\r\n\r\n'],
    ['an empty one', 'GET /debug HTTP/1.1\r\nhost:\r\nconnection: close\r\n\r\n'],
  ])('is not who names %s', async (_what, bytes) => {
    const socket = connect(port, '127.0.0.1');
    socket.end(bytes);
    expect(await text(socket)).toMatch(/^HTTP\/1\.1 421 /);
  });

  it.each([
    [{}, 200],
    [{ 'sec-fetch-site': 'none', 'sec-fetch-mode': 'navigate' }, 200],
    [{ 'sec-fetch-site': 'same-origin' }, 200],
    [
      {
        'sec-fetch-site': 'cross-site',
        'sec-fetch-mode': 'navigate',
        'sec-fetch-dest': 'document',
      },
      200,
    ],
    [
      { 'sec-fetch-site': 'cross-site', 'sec-fetch-mode': 'navigate', 'sec-fetch-dest': 'iframe' },
      403,
    ],
    [
      { 'sec-fetch-site': 'cross-site', 'sec-fetch-mode': 'no-cors', 'sec-fetch-dest': 'image' },
      403,
    ],
    [{ 'sec-fetch-site': 'cross-site', 'sec-fetch-mode': 'cors', 'sec-fetch-dest': 'empty' }, 403],
    [
      { 'sec-fetch-site': 'same-site', 'sec-fetch-mode': 'no-cors', 'sec-fetch-dest': 'script' },
      403,
    ],
    [{ origin: 'https://attacker.example.com' }, 403],
    [{ origin: 'null' }, 403],
    [{ origin: 'null', 'sec-fetch-site': 'same-site' }, 403],
    [{ origin: 'null', 'sec-fetch-site': 'same-origin' }, 200],
    [{ origin: 'http://localhost:3000', host: 'localhost:6060' }, 403],
    [{ origin: 'https://localhost:6060', host: 'localhost:6060' }, 403],
    [{ origin: 'http://localhost:6060', host: 'localhost:6060' }, 200],
  ])('is told by a browser: %j gives %i', async (headers, status) => {
    for (const path of ['/debug', '/debug.json']) {
      const answer = await call({ path, headers });
      expect(answer.status).toBe(status);
      expect(answer.headers).not.toHaveProperty('access-control-allow-origin');
    }
  });

  it('is not asked before: nobody may send what a form cannot', async () => {
    const headers = {
      origin: 'http://attacker.example.com',
      'access-control-request-method': 'POST',
      'access-control-request-headers': 'content-type',
    };
    const answer = await call({ method: 'OPTIONS', path: '/debug/explain', headers });
    expect(answer.status).toBe(403);
    expect(Object.keys(answer.headers).join()).not.toContain('access-control');
  });

  it.each([
    ['POST', '/debug'],
    ['PUT', '/debug'],
    ['DELETE', '/debug.json'],
    ['OPTIONS', '/debug'],
    ['GET', '/debug/explain'],
    ['POST', '/'],
  ])('gets 405 for %s %s', async (method, path) => {
    const { status, headers } = await call({ method, path });
    expect(status).toBe(405);
    expect(headers.allow).toBe(path === '/debug/explain' ? 'POST' : 'GET, HEAD');
  });
});

describe('POST /debug/explain', () => {
  it('explains what a form of the page asks', async () => {
    const fields = {
      ...QUESTION,
      serviceAccount: 'builder',
      pullSecrets: '',
      token: await token(),
    };
    const browser = { 'sec-fetch-site': 'same-origin', origin: 'null' };
    const { status, text: page } = await post(fields, browser);
    expect(status).toBe(200);
    expect(page).toContain('<pre id="answer">answer  pinned\n');
    expect(page).toContain(`value="${QUESTION.image}"`);
    expect(asked).toEqual([[{ ...QUESTION, serviceAccount: 'builder', pullSecrets: [] }, 'text']]);
  });

  it('explains what is asked in JSON, in JSON', async () => {
    const {
      status,
      headers,
      text: body,
    } = await call({
      method: 'POST',
      path: '/debug/explain',
      headers: { 'content-type': JSON_TYPE },
      body: JSON.stringify({ ...QUESTION, pullSecrets: 'regcred' }),
    });
    expect([status, headers['content-type'], body]).toEqual([
      200,
      'application/json; charset=utf-8',
      '{"outcome":"pinned"}\n',
    ]);
    expect(asked).toEqual([
      [{ ...QUESTION, serviceAccount: undefined, pullSecrets: ['regcred'] }, 'json'],
    ]);
  });

  it.each(['', 'x'.repeat(43), 'ä', '\u0000'])(
    'asks nobody for a form with the token %j',
    async (wrong) => {
      const { status } = await post({ ...QUESTION, token: wrong });
      expect(status).toBe(403);
      expect(asked).toEqual([]);
    },
  );

  it('asks nobody for a form with two tokens', async () => {
    const right = await token();
    const { status } = await call({
      method: 'POST',
      path: '/debug/explain',
      headers: { 'content-type': FORM },
      body: `token=${right}&token=${right}&namespace=shop&image=a`,
    });
    expect(status).toBe(403);
    expect(asked).toEqual([]);
  });

  it.each([
    [{ 'sec-fetch-site': 'cross-site' }],
    [{ 'sec-fetch-site': 'same-site' }],
    [
      {
        'sec-fetch-site': 'cross-site',
        'sec-fetch-mode': 'navigate',
        'sec-fetch-dest': 'document',
      },
    ],
    [{ origin: 'http://attacker.example.com' }],
    [{ origin: 'null' }],
    [{ host: 'attacker.example.com' }],
  ])('asks nobody for another page, though it knew the token: %j', async (headers) => {
    const { status } = await post({ ...QUESTION, token: await token() }, headers);
    expect([403, 421]).toContain(status);
    expect(asked).toEqual([]);
  });

  it.each([
    ['text/plain', `{"namespace":"shop","image":"a","x":"=1"}`],
    ['multipart/form-data; boundary=x', '--x--'],
    ['application/json;charset=latin1', '{}'],
    ['', 'namespace=shop&image=a'],
  ])('asks nobody for a body of type %j', async (type, body) => {
    const { status } = await call({
      method: 'POST',
      path: '/debug/explain',
      headers: { 'content-type': type },
      body,
    });
    expect(status).toBe(415);
    expect(asked).toEqual([]);
  });

  it.each([
    ['a form', FORM, `image=${'x'.repeat(9000)}`],
    ['JSON', JSON_TYPE, JSON.stringify({ image: 'x'.repeat(9000) })],
  ])('reads no %s of more than 8 KiB', async (_what, type, body) => {
    const { status } = await call({
      method: 'POST',
      path: '/debug/explain',
      headers: { 'content-type': type },
      body,
    });
    expect(status).toBe(413);
  });

  it('reads no form with more fields than it has, and none that is packed', async () => {
    const many = Array.from({ length: 50 }, (_, n) => `f${n}=1`).join('&');
    const headers = { 'content-type': FORM };
    const of = { method: 'POST', path: '/debug/explain' };
    expect((await call({ ...of, headers, body: many })).status).toBe(413);
    const packed = { ...headers, 'content-encoding': 'gzip' };
    expect((await call({ ...of, headers: packed, body: 'x' })).status).toBe(415);
  });

  it('says in the page what is wrong with a question, and asks nobody', async () => {
    const wrong = { namespace: EVIL, image: EVIL, token: await token() };
    const { status, text: page } = await post(wrong);
    expect(status).toBe(400);
    expect(page).toContain('namespace: the name of a namespace is needed');
    expect(page).not.toContain(EVIL);
    expect(asked).toEqual([]);
  });

  it.each([
    ['overloaded', new PinError('overloaded', 'two are being explained'), 503],
    ['invalid_config', new PinError('invalid_config', 'there is no such thing'), 400],
    ['internal', new Error('a defect'), 500],
    ['an image, which has no business here', new PinError('not_found', 'it is not there'), 500],
  ])('tells of %s in the page and in JSON', async (_code, error, status) => {
    const { message } = error;
    explain = async () => {
      throw error;
    };
    const page = await post({ ...QUESTION, token: await token() });
    expect(page.status).toBe(status);
    expect(page.text).toContain(message);
    const json = await call({
      method: 'POST',
      path: '/debug/explain',
      headers: { 'content-type': JSON_TYPE },
      body: JSON.stringify(QUESTION),
    });
    expect(json.status).toBe(status);
    expect(json.headers.connection).toBe('close');
    expect(JSON.parse(json.text)).toMatchObject({ error: expect.stringContaining(message) });
    expect(lines.some((line) => line.startsWith('error'))).toBe(status === 500);
  });
});
