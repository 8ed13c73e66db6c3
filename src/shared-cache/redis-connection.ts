import { isIP } from 'node:net';

import type { createClient, ErrorReply } from '@redis/client';

import type { SharedCacheUrl } from '../settings/shared-cache-settings.ts';
import { within } from '../within.ts';
import { type Connection, RefusedByServer } from './connection.ts';
import { NAME_PREFIX } from './sealed-digests.ts';

/** Where the server is, and what is shown to it. */
export interface RedisServer extends Pick<SharedCacheUrl, 'host' | 'port' | 'tls' | 'database'> {
  /** Read for each connection. Throws PinError. */
  readonly credentials: () => Credentials;
  /** PEM; those of the system where it gives none. Read for each connection. Throws PinError. */
  readonly authorities: () => readonly string[] | undefined;
}

interface Credentials {
  readonly username: string | undefined;
  readonly password: string | undefined;
}

type Client = ReturnType<typeof createClient>;

/** For a connection, its TLS, its credentials and one question. */
const CONNECT_LIMIT_MS = 2000;
/** Beyond it, what is asked is refused at once. */
const MAX_WAITING = 1000;
/** A name like all others, under which nothing stands. */
const PROBE = `${NAME_PREFIX}probe`;

/** Imports the library: it takes some hundred milliseconds, so never inside of a review. */
export async function loadRedis(): Promise<(server: RedisServer) => Promise<Connection>> {
  const library = await import('@redis/client');
  return (server) => connect(library, server);
}

/** What of the library is used. */
interface Library {
  readonly createClient: typeof createClient;
  readonly ErrorReply: typeof ErrorReply;
}

async function connect(library: Library, server: RedisServer): Promise<Connection> {
  const client = library.createClient(optionsFor(server));
  const connection = connectionOf(client, library);
  const asked = client.connect().then(() => connection.read(PROBE, 1));
  try {
    await within(CONNECT_LIMIT_MS, asked, () => {
      throw new Error(`no connection within ${CONNECT_LIMIT_MS} ms`);
    });
    return connection;
  } catch (caught) {
    connection.close();
    throw tellable(caught, library);
  }
}

function optionsFor(server: RedisServer): Parameters<Library['createClient']>[0] {
  const { host, port, database } = server;
  const { username, password } = server.credentials();
  const ca = server.authorities();
  const socket = {
    host,
    port,
    connectTimeout: CONNECT_LIMIT_MS,
    reconnectStrategy: false,
  } as const;
  const name = isIP(host) === 0 ? { servername: host } : {};
  return {
    // What every version of both servers speaks, and proxies before them.
    RESP: 2,
    database,
    ...(username !== undefined && { username }),
    ...(password !== undefined && { password }),
    socket: server.tls
      ? { ...socket, ...name, tls: true, ...(ca !== undefined && { ca: [...ca] }) }
      : socket,
    disableOfflineQueue: true,
    commandsQueueMaxLength: MAX_WAITING,
    // It needs a right of its own, and tells the server what need not be known there.
    disableClientInfo: true,
    // A server may not send its clients elsewhere.
    maintNotifications: 'disabled',
  };
}

function connectionOf(client: Client, library: Library): Connection {
  return {
    read: async (name, maxChars) => {
      try {
        return textFrom(await client.getRange(name, 0, maxChars - 1));
      } catch (caught) {
        throw tellable(caught, library);
      }
    },
    write: async (name, value, ttlMs) => {
      try {
        await client.set(name, value, { expiration: { type: 'PX', value: ttlMs } });
      } catch (caught) {
        throw tellable(caught, library);
      }
    },
    lost: new Promise((resolve) => {
      client.on('error', (why: unknown) => resolve(tellable(why, library)));
    }),
    close: () => client.destroy(),
  };
}

/** Whoever answers may send a number, a list or anything else that the protocol has; the library hands it on. */
function textFrom(told: unknown): string {
  if (told === null) return '';
  if (typeof told !== 'string') throw new Error('it answered with something that is no text');
  return told;
}

/** Of what the server says no more than its code, which is the first word. */
function tellable(caught: unknown, library: Library): unknown {
  if (!(caught instanceof library.ErrorReply)) return caught;
  const [code = 'an error'] = /^[A-Z]{2,20}\b/.exec(caught.message) ?? [];
  return new RefusedByServer(`it answered ${code}`);
}
