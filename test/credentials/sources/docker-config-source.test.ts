import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';

import type { CredentialSource } from '../../../src/credentials/credential.ts';
import { parseDockerConfigFile } from '../../../src/credentials/sources/docker-config-file.ts';
import { createDockerConfigSource } from '../../../src/credentials/sources/docker-config-source.ts';
import { runProgram } from '../../../src/credentials/sources/program.ts';
import { parseReference } from '../../../src/image/reference.ts';
import { failureOf } from '../../support/failure-of.ts';
import { hasEnded, Programs } from '../../support/programs.ts';
import { createRecordedLog } from '../../support/recorded-log.ts';
import { until } from '../../support/until.ts';

const NOBODY = new AbortController().signal;
const ALICE = '{"ServerURL":"x","Username":"alice","Secret":"wonder"}';
const OWN = { username: 'file', password: 'p' };
const NOT_FOUND = 'echo "credentials not found in native keychain"; exit 1';

let programs: Programs;
let nowMs: number;
let observed: string[];
let recorded: ReturnType<typeof createRecordedLog>;

beforeEach(() => {
  programs = new Programs();
  nowMs = 1000;
  observed = [];
  recorded = createRecordedLog();
});
afterEach(() => programs[Symbol.asyncDispose]());

function sourceOf(content: unknown): CredentialSource {
  const config = parseDockerConfigFile(JSON.stringify(content), 'docker config "f"');
  return createDockerConfigSource({
    config: () => config,
    run: runProgram,
    environment: programs.environment,
    now: () => nowMs,
    observe: (source, result) => observed.push(`${source} ${result}`),
    log: recorded.log,
  });
}

function offersOf(source: CredentialSource, image: string, signal = NOBODY) {
  return source.offersFor(parseReference(image), signal);
}

/** The credentials that a helper of this script leads to. */
async function answerOf(script: string, image = 'a.example/x'): Promise<unknown[]> {
  programs.program('docker-credential-x', script);
  const offers = await offersOf(sourceOf({ credsStore: 'x' }), image);
  return offers.map(({ credential }) => credential);
}

describe('createDockerConfigSource() with a credential helper', () => {
  it('has a user and a secret, and says of which helper', async () => {
    programs.program('docker-credential-x', `echo '${ALICE}'`);
    expect(await offersOf(sourceOf({ credsStore: 'x' }), 'a.example/x')).toEqual([
      { credential: { username: 'alice', password: 'wonder' }, origin: 'credential helper "x"' },
    ]);
    expect(observed).toEqual(['docker_config found']);
  });

  it.each([
    ['nginx', 'get https://index.docker.io/v1/'],
    ['docker.io/team/app', 'get https://index.docker.io/v1/'],
    ['A.Example:5000/team/app:1', 'get a.example:5000'],
  ])('asks about %s by its server', async (image, said) => {
    await answerOf('printf "%s %s" "$1" "$input" >"$DIRECTORY/said"; echo {}', image).catch(
      () => undefined,
    );
    expect(programs.text('said')).toBe(said);
  });

  it.each<[string, string, unknown[]]>([
    [
      'an identity token',
      `echo '{"Username":"<token>","Secret":"t"}'`,
      [{ username: '', password: '', identityToken: 't' }],
    ],
    ['nothing', NOT_FOUND, []],
    ['nothing in empty fields', `echo '{"Username":"","Secret":""}'`, []],
    [
      'colons, quotes and line ends',
      `echo '{"Username":"u","Secret":"a:\\"b\\"\\\\n"}'`,
      [{ username: 'u', password: 'a:"b"\n' }],
    ],
  ])('reads %s', async (_, script, credentials) => {
    expect(await answerOf(script)).toEqual(credentials);
    expect(observed).toEqual([`docker_config ${credentials.length === 0 ? 'none' : 'found'}`]);
  });

  it.each([
    ['exits with 3', `echo '${ALICE}'; echo CANARY >&2; exit 3`, 'ended with status 3'],
    ['says something else', 'echo CANARY; exit 1', 'ended with status 1'],
    ['answers with garbage', 'echo CANARY', 'did not answer with a user name and a secret'],
    ['answers with half of it', `echo '{"Username":"CANARY"}'`, 'did not answer with a user name'],
    ['answers with a list', 'echo [1]', 'did not answer with a user name and a secret'],
    ['says nothing', 'true', 'did not answer with a user name and a secret'],
    ['writes without an end', 'exec yes CANARY', 'wrote more than 64 KiB'],
  ])('fails with one that %s, and tells nothing of it', async (_, script, reason) => {
    const error = await failureOf(answerOf(script));
    expect(error.code).toBe('credential_source_failed');
    expect(error.message).toContain(`credential helper "x" ${reason}`);
    expect(observed).toEqual(['docker_config credential_source_failed']);
    expect(recorded.lines).toEqual([expect.stringContaining('warn credential source failed')]);
    expect([...recorded.lines, String(error)].join()).not.toMatch(/CANARY|wonder/);
  });

  it('fails with one that is missing', async () => {
    const error = await failureOf(offersOf(sourceOf({ credsStore: 'missing' }), 'a.example/x'));
    expect(error.message).toBe('credential helper "missing" could not be started');
    expect(recorded.lines.join()).toContain('ENOENT');
  });

  it('starts a broken one once for all images, and again 3 s later', async () => {
    programs.program('docker-credential-x', 'exit 3');
    const source = sourceOf({ credsStore: 'x' });
    for (const image of ['a.example/x', 'a.example/y']) {
      expect((await failureOf(offersOf(source, image))).code).toBe('credential_source_failed');
    }
    expect(programs.starts('docker-credential-x')).toBe(1);
    nowMs += 3000;
    await failureOf(offersOf(source, 'a.example/z'));
    expect(programs.starts('docker-credential-x')).toBe(2);
  });

  it('starts one program for all who ask about a host, and one more for another host', async () => {
    programs.program('docker-credential-x', `echo '${ALICE}'`);
    const source = sourceOf({ credsStore: 'x' });
    const images = ['a.example/x', 'a.example/y', 'A.example/z', 'b.example/x'];
    await Promise.all(images.map((image) => offersOf(source, image)));
    expect(programs.starts('docker-credential-x')).toBe(2);
  });

  it('asks again after a minute, or when what it had is forgotten', async () => {
    programs.program('docker-credential-x', `echo '${ALICE}'`);
    const source = sourceOf({ credsStore: 'x' });
    const starts = async (): Promise<number> => {
      await offersOf(source, 'a.example/x');
      return programs.starts('docker-credential-x');
    };
    expect([await starts(), await starts()]).toEqual([1, 1]);
    nowMs += 60_000;
    expect(await starts()).toBe(2);
    nowMs += 5000;
    source.forget(parseReference('a.example/other'));
    expect(await starts()).toBe(3);
    source.forget(parseReference('a.example/other'));
    expect(await starts()).toBe(3);
  });

  it('leaves a helper that hangs to its deadline when the look-up gives up', async () => {
    programs.program('docker-credential-x', 'exec sleep 1000');
    const stop = new AbortController();
    const failure = failureOf(offersOf(sourceOf({ credsStore: 'x' }), 'a.example/x', stop.signal));
    stop.abort();
    expect((await failure).message).toBe(
      'credential helper "x" did not answer within the time of the look-up',
    );
  });

  it('ends one that hangs after 5 s', async () => {
    programs.program('docker-credential-x', 'echo $$ >"$DIRECTORY/pid"; exec sleep 1000');
    const error = await failureOf(offersOf(sourceOf({ credsStore: 'x' }), 'a.example/x'));
    expect(error.message).toBe('credential helper "x" did not answer within 5 s');
    await until(() => hasEnded(Number(programs.text('pid'))));
  });
});

describe('createDockerConfigSource() with auths', () => {
  const AUTHS = { 'a.example': OWN, 'b.example': {} };

  it('covers any image, for the file may change', () => {
    expect(sourceOf({}).covers(parseReference('a.example/x'))).toBe(true);
  });

  it('offers them without starting anything', async () => {
    const source = sourceOf({ auths: AUTHS });
    expect(await offersOf(source, 'a.example/x')).toEqual([
      { credential: OWN, origin: 'docker config "f"' },
    ]);
    expect(await offersOf(source, 'b.example/x')).toEqual([]);
    expect(observed).toEqual(['docker_config found', 'docker_config none']);
  });

  it('offers what the store answers, then its own', async () => {
    programs.program('docker-credential-x', `echo '${ALICE}'`);
    const source = sourceOf({ auths: AUTHS, credsStore: 'x' });
    const users = async (image: string): Promise<string[]> =>
      (await offersOf(source, image)).map(({ credential }) => credential.username);
    expect(await users('a.example/x')).toEqual(['alice', 'file']);
    expect(await users('b.example/x')).toEqual(['alice']);
  });

  it('offers its own where the store is broken', async () => {
    programs.program('docker-credential-x', 'exit 3');
    const source = sourceOf({ auths: AUTHS, credsStore: 'x' });
    expect(await offersOf(source, 'a.example/x')).toHaveLength(1);
    expect(observed).toEqual(['docker_config credential_source_failed']);
    await failureOf(offersOf(source, 'b.example/x'));
  });

  it('uses the file as it is now', async () => {
    let content: unknown = {};
    const source = createDockerConfigSource({
      config: () => parseDockerConfigFile(JSON.stringify(content), 'f'),
      run: runProgram,
      environment: {},
      now: () => nowMs,
      observe: () => {},
      log: recorded.log,
    });
    expect(await offersOf(source, 'a.example/x')).toEqual([]);
    content = { auths: AUTHS };
    expect(await offersOf(source, 'a.example/x')).toHaveLength(1);
  });
});
