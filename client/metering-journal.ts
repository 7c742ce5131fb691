// The journal of a container's metering: one small file, replaced as a whole, so that a crash leaves the old or the new.
import { randomUUID } from 'node:crypto';
import { open, readFile, rename } from 'node:fs/promises';
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
 * Keeps the hours of one instance, task or pod on its disk. The file belongs to one process at a time: one that finds
 * it taken over by another throws Misconfigured and writes nothing, since two would each bill their own count of one hour.
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
    const content = await contentOf(path);
    journal.#hours = content?.hours ?? new Map();
    await journal.#write(journal.#hours);
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

  async #save(hours: Hours): Promise<void> {
    const { owner } = (await contentOf(this.#path)) ?? {};
    if (owner !== this.#owner) {
      throw new Misconfigured(
        'JournalShared',
        `The journal ${this.#path} was taken over by another process. Give each instance, task or pod a journal of its own.`,
      );
    }
    await this.#write(hours);
  }

  async #write(hours: Hours): Promise<void> {
    const text = JSON.stringify({ v: LAYOUT, owner: this.#owner, hours: [...hours.values()] });
    const draft = `${this.#path}.${this.#owner}`;
    const file = await open(draft, 'w', 0o600);
    try {
      await file.writeFile(text);
      // Before the rename: a crash of the machine must not leave the new name over an empty file.
      await file.sync();
    } finally {
      await file.close();
    }
    await rename(draft, this.#path);
  }
}

interface Content {
  readonly owner: string;
  readonly hours: Hours;
}

/** Undefined where there is no file yet. */
async function contentOf(path: string): Promise<Content | undefined> {
  const text = await readFile(path, 'utf8').catch((fault: NodeJS.ErrnoException) => {
    if (fault.code === 'ENOENT') return undefined;
    throw fault;
  });
  if (text === undefined) return undefined;
  const parsed = parsedJson(text);
  const { v, owner, hours } = parsed as { v?: unknown; owner?: unknown; hours?: unknown };
  if (v !== LAYOUT || typeof owner !== 'string' || !Array.isArray(hours)) throw damaged(path);
  const read = hours.map((each: unknown) => {
    if (!isMeteredHour(each)) throw damaged(path);
    return each;
  });
  return { owner, hours: new Map(read.map((each) => [nameOf(each), each])) };
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
