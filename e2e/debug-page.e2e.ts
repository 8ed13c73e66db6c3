import { once } from 'node:events';
import { mkdir } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';

import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import type { BrowserContext, BrowserContextOptions, Page } from 'playwright-core';

import type { Overview } from '../src/debug/overview.ts';
import { createDebugServer } from '../src/server/debug.ts';
import { createRecordedLog } from '../test/support/recorded-log.ts';
import { REBOUND_HOST, startBrowser, type TestBrowser } from './support/browser.ts';
import { sampleOverview } from './support/debug-sample.ts';
import { readEnvironment } from './support/environment.ts';
import { freePort } from './support/free-port.ts';
import type { Kubectl } from './support/kubectl.ts';
import { createPullSecret } from './support/pull-secret.ts';
import { TestImage } from './support/test-image.ts';
import { createNamespace } from './support/test-namespace.ts';
import { Webhook } from './support/webhook.ts';
import { workload } from './support/workload.ts';

const environment = readEnvironment();
const { kubeconfig, registry, privateRegistry } = environment;
const { host: privateHost, account = { username: '', password: '' } } = privateRegistry;
const WRITES = process.env['UPDATE_DOCS'] === '1';
const PICTURES = join(import.meta.dirname, '..', 'docs', 'debug-page');
const PHONE = { width: 390, height: 844 };
const EVIL = '"><img src=x onerror=alert(1)><script>alert(2)</script>';

let port: number;
let webhook: Webhook;
let started: TestBrowser;
let kubectl: Kubectl;
let image: TestImage;
let context: BrowserContext;
/** What the browser was told of, in all of its pages: errors, violations of policies, dialogs. */
let complaints: string[];
/** Whom it asked. */
let asked: URL[];

beforeAll(async () => {
  port = await freePort();
  webhook = new Webhook(environment, [`--debug-listen=127.0.0.1:${port}`]);
  [started, image, kubectl] = await Promise.all([
    startBrowser(),
    TestImage.ofOnePlatform(registry),
    createNamespace(kubeconfig, { mode: 'pin' }),
    webhook.start(),
  ]);
  await kubectl.apply(workload('Pod', { name: 'listed', image: image.tagged }));
  await kubectl.apply(workload('Pod', { name: 'missing', image: `${image.name}:missing` }));
  await kubectl.apply(workload('Pod', { name: 'evil', image: EVIL }));
});
afterAll(async () => {
  await webhook.stop();
  await started[Symbol.asyncDispose]();
});

beforeEach(() => {
  complaints = [];
  asked = [];
});
afterEach(async () => {
  await context.close();
});

async function open(options: BrowserContextOptions = {}): Promise<Page> {
  context = await started.browser.newContext(options);
  context.on('console', (message) => complaints.push(`${message.type()}: ${message.text()}`));
  context.on('weberror', (error) => complaints.push(String(error.error())));
  context.on('dialog', (dialog) => {
    complaints.push(`dialog: ${dialog.message()}`);
    void dialog.dismiss();
  });
  context.on('request', (request) => asked.push(new URL(request.url())));
  return context.newPage();
}

function urlOf(path: string, host: string = '127.0.0.1'): string {
  return `http://${host}:${port}${path}`;
}

/** How far the page reaches beyond its window. */
function overflow(page: Page): Promise<number> {
  const root = 'document.documentElement';
  return page.evaluate(`${root}.scrollWidth - ${root}.clientWidth`);
}

/** How often the registry was asked, as the page's own JSON has it. */
async function registryRequests(): Promise<number> {
  const overview = await (await fetch(urlOf('/debug.json'))).json();
  const { registries } = overview as Pick<Overview, 'registries'>;
  return registries.find((one) => one.registry === registry.host)?.requests ?? 0;
}

/** Everything that a page can try with another one, and what it has learnt by it. */
function attack(page: Page, base: string, asking: string): Promise<readonly string[]> {
  const script = `(async () => {
    const learnt = [];
    const attempt = async (path, init) => {
      const asking = fetch(${JSON.stringify(base)} + path, init);
      const text = await asking.then((answer) => answer.text()).catch(() => '');
      if (text !== '') learnt.push(text);
    };
    const question = ${JSON.stringify({ namespace: 'default', image: asking })};
    const form = { method: 'POST', mode: 'no-cors', body: new URLSearchParams(question) };
    const headers = { 'content-type': 'application/json' };
    await attempt('/debug', {});
    await attempt('/debug.json', { credentials: 'include' });
    await attempt('/debug', { mode: 'no-cors' });
    await attempt('/debug/explain', form);
    await attempt('/debug/explain', { method: 'POST', headers, body: JSON.stringify(question) });
    for (const tag of ['script', 'iframe', 'img']) {
      const element = document.createElement(tag);
      const ended = new Promise((resolve) => {
        element.onload = resolve;
        element.onerror = resolve;
      });
      element.src = ${JSON.stringify(base)} + '/debug.json';
      document.body.append(element);
      await ended;
      const text = element.contentDocument?.body?.innerText;
      if (text) learnt.push(text);
    }
    return learnt;
  })()`;
  return page.evaluate(script);
}

/** How often the page's port was asked, by a page of somebody else. */
function attempts(): number {
  return asked.filter((url) => url.port === String(port)).length;
}

async function visibleRows(page: Page): Promise<readonly string[]> {
  const rows = await page.locator('#decisions tbody tr:visible').allInnerTexts();
  return rows.map((row) => row.replaceAll(/\s+/g, ' '));
}

describe('the page at /debug', () => {
  it('lists what was just decided, what was pinned, and who was asked; and nobody else is', async () => {
    const page = await open();
    await page.goto(urlOf('/'));
    const { namespace = '' } = kubectl;
    const digest = await image.digest();
    const listed = page.locator('#decisions tr', { hasText: `${namespace}/listed` });
    expect(await listed.innerText()).toContain('pinned');
    expect(await listed.innerText()).toContain(image.tagged);
    const missing = page.locator('#decisions tr', { hasText: `${namespace}/missing` });
    expect(await missing.innerText()).toContain('failed: not_found');
    const pin = page.locator('#pins tr', { hasText: image.tagged });
    expect(await pin.locator('code').nth(1).getAttribute('title')).toBe(digest);
    const row = page.locator('#registries tr', { hasText: registry.host });
    expect(await row.innerText()).toContain('answers');
    expect(await page.locator('#process').innerText()).toContain('Certificate: serving');
    expect(complaints).toEqual([]);
    expect(new Set(asked.map(({ host, protocol }) => `${protocol}//${host}`))).toEqual(
      new Set([`http://127.0.0.1:${port}`]),
    );
  });

  it.each([true, false])(
    'filters decisions, with JavaScript (%j) and without',
    async (javaScriptEnabled) => {
      const page = await open({ javaScriptEnabled });
      const { namespace = '' } = kubectl;
      await page.goto(urlOf('/debug'));
      const submit = () => page.getByRole('button', { name: 'Filter' }).click();
      await page.locator('select[name=namespace]').selectOption(namespace);
      await page.locator('select[name=why]').selectOption('not_found');
      await submit();
      expect(await visibleRows(page)).toEqual([expect.stringContaining(`${namespace}/missing`)]);
      await page.locator('select[name=why]').selectOption('');
      await page.locator('input[name=text]').fill('LISTED');
      await submit();
      expect(await visibleRows(page)).toEqual([expect.stringContaining(`${namespace}/listed`)]);
      expect(await page.locator('[data-shown]').innerText()).toBe('1');
      expect(complaints).toEqual([]);
    },
  );

  it('shows the image of a tenant who writes HTML as what it is', async () => {
    const page = await open();
    await page.goto(urlOf('/debug'));
    const evil = page.locator('#decisions tr', { hasText: '/evil' });
    expect(await evil.locator('code').first().innerText()).toBe(EVIL);
    await page.goto(
      urlOf(`/debug?text=${encodeURIComponent(EVIL)}&namespace=${encodeURIComponent(EVIL)}`),
    );
    expect(await page.locator('input[name=text]').inputValue()).toBe(EVIL);
    expect(await page.locator('img, tbody script').count()).toBe(0);
    expect(complaints).toEqual([]);
  });

  it('explains a private image of a namespace by its pull secret, and shows no secret', async () => {
    const of = await createNamespace(kubeconfig);
    const secret = await TestImage.ofOnePlatform(privateRegistry);
    await createPullSecret(of, 'regcred', { host: privateHost, ...account });
    const page = await open({ viewport: PHONE });
    await page.goto(urlOf('/debug'));
    await page.locator('input[name=namespace]').fill(of.namespace ?? '');
    await page.locator('input[name=image]').fill(secret.tagged);
    await page.getByRole('button', { name: 'Explain' }).click();
    const answer = page.locator('#answer');
    expect(await answer.innerText()).toContain('[unauthorized]');
    await page.locator('input[name=pullSecrets]').fill('regcred');
    await page.getByRole('button', { name: 'Explain' }).click();
    const steps = page.locator('#answer', { hasText: 'regcred' });
    expect(await steps.innerText()).toContain('with         pull secret "regcred"');
    expect(await steps.innerText()).toContain(`answer       ${await secret.pinned()}`);
    for (const text of [account.password, btoa(`${account.username}:${account.password}`)]) {
      expect(await page.content()).not.toContain(text);
    }
    expect(await overflow(page)).toBe(0);
    expect(complaints).toEqual([]);
  });

  it('fits a phone', async () => {
    const page = await open({ viewport: PHONE, isMobile: true });
    await page.goto(urlOf('/debug'));
    expect(await overflow(page)).toBe(0);
  });
});

describe('a page of somebody else', () => {
  let attacker: Server;

  beforeAll(async () => {
    attacker = createServer((_request, response) => {
      response.setHeader('content-type', 'text/html');
      response.end('<!doctype html><title>attack</title>');
    });
    attacker.listen(0);
    await once(attacker, 'listening');
  });
  afterAll(() => {
    attacker.closeAllConnections();
    attacker.close();
  });

  it.each(['localhost', '127.0.0.1'])(
    'at another port of %s reads nothing, and asks nothing',
    async (host) => {
      const unknown = `${image.name}:${host}`;
      const before = await registryRequests();
      const page = await open();
      await page.goto(`http://${host}:${(attacker.address() as AddressInfo).port}/`);
      expect(await attack(page, urlOf(''), unknown)).toEqual([]);
      expect(attempts()).toBeGreaterThan(5);
      expect(await registryRequests()).toBe(before);
      // So it would have been told from what was asked.
      const headers = { 'content-type': 'application/json' };
      const body = JSON.stringify({ namespace: 'default', image: unknown });
      await fetch(urlOf('/debug/explain'), { method: 'POST', headers, body });
      expect(await registryRequests()).toBeGreaterThan(before);
    },
  );

  it('has its form refused', async () => {
    const page = await open();
    await page.goto(`http://127.0.0.1:${(attacker.address() as AddressInfo).port}/`);
    await page.setContent(
      `<form method=post action="${urlOf('/debug/explain')}"><input name=namespace value=default><input name=image value=a:1><button>x</button></form>`,
    );
    const [answer] = await Promise.all([
      page.waitForResponse(urlOf('/debug/explain')),
      page.locator('button').click(),
    ]);
    expect(answer.status()).toBe(403);
  });

  it('under a name that leads here is told that by its name', async () => {
    const page = await open();
    // As it was, when that name still led to the attacker.
    const home = urlOf('/', REBOUND_HOST);
    await context.route(home, (route) => route.fulfill({ contentType: 'text/html', body: '.' }));
    await page.goto(home);
    const learnt = await attack(page, '', image.tagged);
    expect(attempts()).toBeGreaterThan(5);
    expect(learnt.length).toBeGreaterThan(3);
    for (const text of learnt) expect(text).toContain('this page is for localhost');
  });
});

describe('the page of the documentation', () => {
  let sample: Server;

  beforeAll(async () => {
    const { log } = createRecordedLog();
    sample = createDebugServer({ overview: sampleOverview, explain: async () => '', log });
    sample.listen(0, '127.0.0.1');
    await once(sample, 'listening');
  });
  afterAll(() => {
    sample.closeAllConnections();
    sample.close();
  });

  it.each([
    ['light', { viewport: { width: 1100, height: 980 }, colorScheme: 'light' }],
    ['dark', { viewport: { width: 1100, height: 980 }, colorScheme: 'dark' }],
    ['phone', { viewport: PHONE, colorScheme: 'light', isMobile: true }],
  ] as const)('fits its window: %s', async (name, options) => {
    const page = await open(options);
    await page.goto(`http://127.0.0.1:${(sample.address() as AddressInfo).port}/debug`);
    expect(await overflow(page)).toBe(0);
    if (name === 'phone') await page.locator('#decisions').scrollIntoViewIfNeeded();
    if (WRITES) {
      await mkdir(PICTURES, { recursive: true });
      await page.screenshot({ path: join(PICTURES, `${name}.png`) });
    }
    expect(complaints).toEqual([]);
  });
});
