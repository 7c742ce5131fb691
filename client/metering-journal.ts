// The journal of a container's metering: one small file, replaced as a whole, so that a crash leaves the old or the new.
import { randomUUID } from 'node:crypto';
import { open, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { BrokenInvariant, Misconfigured } from '../lambdas/domain/failure.ts';
import { parseHour } from '../lambdas/domain/hour.ts';
import { isQuantity } from '../lambdas/domain/quantity.ts';
import { type HourState, type Hours, type MeteredHour, nameOf } from './container-hours.ts';

const LAYOUT = 1;

const STATES: readonly HourState[] = ['open', 'sealed', 'honoured', 'disputed', 'refused', 'uncertain', 'carried'];

interface Change {
  readonly how: (hours: Hours) => Hours;
  resolve(): void;
  reject(fault: unknown): void;
}

/**
 * Keeps the hours of one instance, task or pod on its disk. The file belongs to one process at a time, which a second
 * file beside it names: one that finds it taken over by another throws Misconfigured and writes nothing, since two would
 * each bill their own count of one hour. What it wrote before is found by the other.
 */
export class MeteringJournal {
  readonly #path: string;
  readonly #owner = randomUUID();
  #hours: Hours = new Map();
  readonly #waiting: Change[] = [];
  #isWriting = false;

  private constructor(path: string) {
    this.#path = path;
  }

  /** Takes the journal over, or begins one. Throws BrokenInvariant where the file is damaged: look, do not delete. */
  static async open(path: string): Promise<MeteringJournal> {
    const journal = new MeteringJournal(path);
    // Before it is read: a process that still runs writes nothing from here on.
    await journal.#takeOver();
    journal.#hours = (await hoursOf(path)) ?? new Map();
    await journal.#save(journal.#hours);
    return journal;
  }

  /** As they stand on disk. */
  get hours(): Hours {
    return this.#hours;
  }

  /**
   * Changes the hours; resolves once the change stands on disk, and rejects where it does not. Changes that come
   * together are written together.
   */
  change(how: (hours: Hours) => Hours): Promise<void> {
    const done = new Promise<void>((resolve, reject) => this.#waiting.push({ how, resolve, reject }));
    if (!this.#isWriting) void this.#writeAll();
    return done;
  }

  /** Never rejects: each change is told what became of it. */
  async #writeAll(): Promise<void> {
    this.#isWriting = true;
    while (this.#waiting.length > 0) {
      const changes = this.#waiting.splice(0);
      try {
        const after = changes.reduce((hours, { how }) => how(hours), this.#hours);
        if (after !== this.#hours) await this.#save(after);
        this.#hours = after;
        for (const { resolve } of changes) resolve();
      } catch (fault) {
        for (const { reject } of changes) reject(fault);
      }
    }
    // In the same step as the last look at what waits: a change that comes later starts anew.
    this.#isWriting = false;
  }

  /** A draft that lies there was begun under the owner before; without it, its writer's change can't come to stand. */
  async #takeOver(): Promise<void> {
    await writeFile(ownerFile(this.#path), this.#owner, { mode: 0o600 });
    const folder = dirname(this.#path);
    const drafts = (await readdir(folder)).filter((name) => isDraft(name, basename(this.#path)));
    await Promise.all(drafts.map((name) => rm(join(folder, name), { force: true })));
  }

  async #save(hours: Hours): Promise<void> {
    const draft = `${this.#path}.${this.#owner}`;
    await writeSynced(draft, JSON.stringify({ v: LAYOUT, hours: [...hours.values()] }));
    // With the draft in place: who takes the journal over between the look and the renaming has taken the draft away.
    const isOwn = (await textOf(ownerFile(this.#path))) === this.#owner;
    if (isOwn && (await isRenamed(draft, this.#path))) return;
    await rm(draft, { force: true });
    throw new Misconfigured(
      'JournalShared',
      `The journal ${this.#path} was taken over by another process. Give each instance, task or pod a journal of its own.`,
    );
  }
}

function ownerFile(path: string): string {
  return `${path}.owner`;
}

function isDraft(name: string, journal: string): boolean {
  return (
    name.startsWith(`${journal}.`) && /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/.test(name.slice(journal.length + 1))
  );
}

async function writeSynced(path: string, text: string): Promise<void> {
  const file = await open(path, 'w', 0o600);
  try {
    await file.writeFile(text);
    // Before the rename: a crash of the machine must not leave the new name over an empty file.
    await file.sync();
  } finally {
    await file.close();
  }
}

/** False where the draft is gone. */
async function isRenamed(draft: string, path: string): Promise<boolean> {
  try {
    await rename(draft, path);
    return true;
  } catch (fault) {
    if (isAbsent(fault)) return false;
    throw fault;
  }
}

function isAbsent(fault: unknown): boolean {
  return fault instanceof Error && 'code' in fault && fault.code === 'ENOENT';
}

/** Undefined where there is no such file. */
async function textOf(path: string): Promise<string | undefined> {
  return readFile(path, 'utf8').catch((fault: unknown) => {
    if (isAbsent(fault)) return undefined;
    throw fault;
  });
}

/** Undefined where there is no file yet. */
async function hoursOf(path: string): Promise<Hours | undefined> {
  const text = await textOf(path);
  if (text === undefined) return undefined;
  const { v, hours } = parsedJson(text) as { v?: unknown; hours?: unknown };
  if (v !== LAYOUT || !Array.isArray(hours)) throw damaged(path);
  const read = hours.map((each: unknown) => {
    if (!isMeteredHour(each)) throw damaged(path);
    return each;
  });
  return new Map(read.map((each) => [nameOf(each), each]));
}

function parsedJson(text: string): object {
  try {
    const parsed: unknown = JSON.parse(text);
    return typeof parsed === 'object' && parsed !== null ? parsed : {};
  } catch {
    // Told as damaged by whoever looks for its members.
    return {};
  }
}

function damaged(path: string): BrokenInvariant {
  return new BrokenInvariant(
    'JournalDamaged',
    `The journal ${path} is none of this version's, or damaged. It says what was billed: look at it, and move it away only if you know that its hours are settled.`,
  );
}

function isMeteredHour(value: unknown): value is MeteredHour {
  if (typeof value !== 'object' || value === null) return false;
  const each = value as Readonly<Record<string, unknown>>;
  return (
    typeof each['hour'] === 'string' &&
    parseHour(each['hour']) !== undefined &&
    typeof each['dimension'] === 'string' &&
    isQuantity(each['quantity']) &&
    STATES.some((state) => state === each['state']) &&
    isQuantity(each['attempts']) &&
    typeof each['mayBeBilled'] === 'boolean' &&
    (each['state'] !== 'sealed' || typeof each['clientToken'] === 'string')
  );
}
