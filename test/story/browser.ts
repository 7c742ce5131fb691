// A real browser for the tests: the Chromium that comes with the packages, or an installed one where that can't run.
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import packagedChromium from '@sparticuz/chromium';
import { type Browser, chromium, type LaunchOptions } from 'playwright-core';

export interface TestBrowser {
  readonly browser: Browser;
  /** Ends it, and removes what was unpacked for it. */
  close(): Promise<void>;
}

/** Beyond what Playwright passes: nothing on this list makes a page behave unlike a buyer's. */
const ARGS = [
  '--disable-gpu',
  '--disable-quic',
  // No name is looked up: whatever would leave this machine fails.
  '--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1',
];

const REMEDY =
  'No browser for the tests: the Chromium of the packages is for Linux on x64. Install Chrome, or set CHROME_PATH.';

/** Launches the browser that CHROME_PATH names, else the packages' Chromium, else an installed Chrome. */
export async function launchBrowser(): Promise<TestBrowser> {
  const chosen = process.env['CHROME_PATH'];
  if (chosen) return installed({ executablePath: chosen });
  if (process.platform === 'linux' && process.arch === 'x64') return packaged();
  return installed({ channel: 'chrome' }).catch((error: unknown) => {
    throw new Error(REMEDY, { cause: error });
  });
}

async function installed(which: LaunchOptions): Promise<TestBrowser> {
  const browser = await chromium.launch({ ...which, args: ARGS });
  return { browser, close: () => browser.close() };
}

/** Unpacks into a folder of its own, so that runs side by side never meet a half-written browser. */
async function packaged(): Promise<TestBrowser> {
  const folder = await mkdtemp(join(tmpdir(), 'test-browser-'));
  const remove = () => rm(folder, { recursive: true, force: true, maxRetries: 5 });
  try {
    const executablePath = await unpack(folder);
    // Text needs a font: the machine's own, and the packages' one where there is none.
    const fonts = join(folder, 'fonts.conf');
    await writeFile(
      fonts,
      FONTS_CONFIG.replace('FOLDER', join(folder, 'fonts')).replace('CACHE', join(folder, 'cache')),
    );
    const environment = { ...process.env, HOME: folder, TMPDIR: folder, FONTCONFIG_FILE: fonts };
    const launch = (more: Record<string, string> = {}) =>
      chromium.launch({ executablePath, args: ARGS, env: { ...environment, ...more } });
    const browser = await launch().catch((error: unknown) => {
      if (!String(error).includes('error while loading shared libraries')) throw error;
      // A bare machine has no NSS; the packages bring it.
      return launch({ LD_LIBRARY_PATH: join(folder, 'al2023', 'lib') });
    });
    const close = async () => {
      await browser.close();
      await remove();
    };
    return { browser, close };
  } catch (error) {
    await remove();
    throw error;
  }
}

const FONTS_CONFIG = `<?xml version="1.0"?>
<!DOCTYPE fontconfig SYSTEM "fonts.dtd">
<fontconfig>
  <include ignore_missing="yes">/etc/fonts/fonts.conf</include>
  <dir>FOLDER</dir>
  <cachedir>CACHE</cachedir>
</fontconfig>
`;

/** The package unpacks into the temporary folder, its libraries only where it believes to be on Lambda. */
async function unpack(folder: string): Promise<string> {
  const { TMPDIR, AWS_LAMBDA_JS_RUNTIME } = process.env;
  process.env['TMPDIR'] = folder;
  process.env['AWS_LAMBDA_JS_RUNTIME'] = 'nodejs24.x';
  try {
    return await packagedChromium.executablePath();
  } finally {
    restore('TMPDIR', TMPDIR);
    restore('AWS_LAMBDA_JS_RUNTIME', AWS_LAMBDA_JS_RUNTIME);
  }
}

function restore(name: string, value: string | undefined): void {
  if (value === undefined) delete process.env[name];
  else process.env[name] = value;
}
