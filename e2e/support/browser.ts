import { globSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { type Browser, chromium } from 'playwright-core';

import { unpackedPackage } from './debian.ts';

/** A browser that finds no host but this machine, and where that also has the name of an attacker's. */
export interface TestBrowser extends AsyncDisposable {
  readonly browser: Browser;
}

/** A name that leads here, as after DNS rebinding. */
export const REBOUND_HOST = 'rebound.example.com';

/**
 * Starts Debian's Chromium, downloaded with a font and not installed. Tests run as root in
 * containers, where Chromium's sandbox does not start: it sees no page here but those of the tests.
 *
 * @throws Error with what apt-get said where it cannot be had
 */
export async function startBrowser(): Promise<TestBrowser> {
  const root = await unpackedPackage('chromium');
  const fonts = await unpackedPackage('fonts-dejavu-core');
  const directory = await mkdtemp(join(tmpdir(), 'tagpin-browser-'));
  const fontconfig = join(directory, 'fonts.conf');
  await writeFile(fontconfig, fontconfigOf(fonts, directory));
  const browser = await chromium.launch({
    executablePath: join(root, 'usr/lib/chromium/chromium'),
    args: [
      '--no-sandbox',
      // What keeps other pages out is to be the page's own work.
      '--disable-features=LocalNetworkAccessChecks',
      `--host-resolver-rules=MAP ${REBOUND_HOST} 127.0.0.1, MAP * ~NOTFOUND, EXCLUDE localhost, EXCLUDE 127.0.0.1`,
    ],
    env: {
      HOME: directory,
      FONTCONFIG_FILE: fontconfig,
      LD_LIBRARY_PATH: globSync(join(root, 'usr/lib/*-linux-gnu*{,/*/}')).join(':'),
    },
  });
  return {
    browser,
    [Symbol.asyncDispose]: async () => {
      await browser.close();
      await rm(directory, { recursive: true, force: true });
    },
  };
}

/** The same font on every machine, so that lines are as long. */
function fontconfigOf(fonts: string, cache: string): string {
  return `<?xml version="1.0"?><!DOCTYPE fontconfig SYSTEM "fonts.dtd"><fontconfig>
<dir>${join(fonts, 'usr/share/fonts')}</dir><cachedir>${cache}</cachedir>
${alias('sans-serif', 'DejaVu Sans')}${alias('system-ui', 'DejaVu Sans')}${alias('monospace', 'DejaVu Sans Mono')}
</fontconfig>
`;
}

function alias(family: string, font: string): string {
  return `<alias><family>${family}</family><prefer><family>${font}</family></prefer></alias>`;
}
