import { once } from 'node:events';
import { createServer, get, type IncomingMessage, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';

import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';

import { type ServeParts, type ServeState, serve } from '../../src/commands/serve.ts';
import { SERVE_SETTINGS, type ServeSettings } from '../../src/config.ts';
import { readSettings } from '../../src/settings/setting.ts';
import { until } from '../support/until.ts';

const DRAIN_MS = 5000;
const END_OF_CALLS_MS = 30_000;

function settings(listen = '127.0.0.1:0'): ServeSettings {
  const flags = { listen, operationsListen: '127.0.0.1:0', drainTime: `${DRAIN_MS}ms` };
  return readSettings(SERVE_SETTINGS, { flags, environment: {} });
}

describe('serve()', () => {
  let webhook: Server;
  let operations: Server;
  let state: ServeState;
  let parts: ServeParts;
  /** What happened, in its order. */
  const events: string[] = [];

  beforeEach(() => {
    events.length = 0;
    // Waits are skipped by hand; sockets take the time they take.
    jest.useFakeTimers({
      doNotFake: ['setImmediate', 'nextTick', 'queueMicrotask', 'performance'],
    });
    webhook = createServer((_request, response) => response.end('served'));
    operations = createServer((_request, response) => response.end());
    state = { clusterLoaded: false, draining: false };
    const log = (_fields: unknown, message: string): void => void events.push(message);
    parts = {
      webhook,
      operations,
      debug: undefined,
      certificate: {
        start: async () => void events.push('certificate start'),
        stop: () => void events.push('certificate stop'),
      },
      loadCluster: async () => void events.push('load cluster'),
      log: { info: log, warn: log, error: log },
      state,
      auditWatch: {
        start: () => void events.push('audit start'),
        stop: () => void events.push('audit stop'),
      },
      closeRegistries: async () => void events.push('close registries'),
    };
  });
  afterEach(() => {
    jest.useRealTimers();
    for (const server of [webhook, operations]) {
      server.closeAllConnections();
      server.close();
    }
  });

  it('listens, loads what takes long, and only then waits for the end', async () => {
    const { promise: stopped, resolve: stop } = Promise.withResolvers<string>();
    const ended = serve(parts, settings(), stopped);
    await until(() => state.clusterLoaded);
    expect(events).toEqual([
      'listening',
      'certificate start',
      'load cluster',
      'cluster client loaded',
      'audit start',
    ]);
    expect(state.draining).toBe(false);
    stop('SIGTERM');
    await until(() => state.draining);
    await jest.advanceTimersByTimeAsync(DRAIN_MS);
    await ended;
  });

  it('serves on for the drain time, then closes in order', async () => {
    const ended = serve(parts, settings(), Promise.resolve('SIGTERM'));
    await until(() => state.draining);
    await jest.advanceTimersByTimeAsync(DRAIN_MS - 1);
    expect(webhook.listening).toBe(true);
    expect(operations.listening).toBe(true);
    await jest.advanceTimersByTimeAsync(1);
    await ended;
    expect(webhook.listening).toBe(false);
    expect(operations.listening).toBe(false);
    expect(events.slice(-5)).toEqual([
      'audit stop',
      'draining',
      'certificate stop',
      'close registries',
      'stopped',
    ]);
  });

  it('waits for a call under way, and cuts it off after half a minute', async () => {
    webhook.removeAllListeners('request');
    const asked = Promise.withResolvers<void>();
    webhook.on('request', () => asked.resolve());
    const ended = serve(parts, settings(), Promise.resolve('SIGTERM'));
    await until(() => state.draining);
    const { port } = webhook.address() as AddressInfo;
    const call = get({ host: '127.0.0.1', port }, (_response: IncomingMessage) => {});
    call.on('error', () => {});
    await asked.promise;
    await jest.advanceTimersByTimeAsync(DRAIN_MS + END_OF_CALLS_MS - 1);
    expect(webhook.listening).toBe(false);
    expect(events).not.toContain('certificate stop');
    await jest.advanceTimersByTimeAsync(1);
    await ended;
    expect(events).toContain('calls cut off');
    call.destroy();
  });

  it('refuses a port that is taken', async () => {
    const first = serve(parts, settings(), new Promise(() => {}));
    await until(() => state.clusterLoaded);
    const { port } = webhook.address() as AddressInfo;
    const taken = `127.0.0.1:${port}`;
    const second = createServer();
    const others = createServer();
    const attempt = serve(
      { ...parts, webhook: second, operations: others },
      settings(taken),
      new Promise(() => {}),
    );
    await expect(attempt).rejects.toMatchObject({
      code: 'invalid_config',
      message: `Cannot listen on ${taken}`,
    });
    others.close();
    expect(first).toBeInstanceOf(Promise);
  });

  it('serves without its page where the port of that is taken, and says so', async () => {
    const debug = createServer();
    operations.listen(0, '127.0.0.1');
    await once(operations, 'listening');
    const { port } = operations.address() as AddressInfo;
    const others = createServer();
    const { promise: stopped, resolve: stop } = Promise.withResolvers<string>();
    const taken = { ...settings(), debugListen: { host: '127.0.0.1', port } };
    const ended = serve({ ...parts, operations: others, debug }, taken, stopped);
    await until(() => state.clusterLoaded);
    expect(events.filter((event) => event.startsWith('no debug page'))).toHaveLength(1);
    expect(webhook.listening).toBe(true);
    stop('SIGTERM');
    await until(() => state.draining);
    await jest.advanceTimersByTimeAsync(DRAIN_MS);
    await ended;
  });

  it('has its page until it stops', async () => {
    const debug = createServer((_request, response) => response.end('the page'));
    const { promise: stopped, resolve: stop } = Promise.withResolvers<string>();
    const free = { ...settings(), debugListen: { host: '127.0.0.1', port: 0 } };
    const ended = serve({ ...parts, debug }, free, stopped);
    await until(() => state.clusterLoaded);
    expect(debug.listening).toBe(true);
    stop('SIGTERM');
    await until(() => state.draining);
    expect(debug.listening).toBe(true);
    await jest.advanceTimersByTimeAsync(DRAIN_MS);
    await ended;
    expect(debug.listening).toBe(false);
  });
});
