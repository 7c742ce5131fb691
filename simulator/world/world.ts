// The simulated world: its file, its clock, its switches, its armed faults. Everything is written before it is answered.
import { randomBytes } from 'node:crypto';
import { type ClockSetting, type ClockState, clockState, isoInstant, worldNow } from '../clock.ts';
import { type ArmedFaults, NO_FAULTS, parseFaults } from '../faults.ts';
import { isJsonObject, type JsonObject, parseJson } from '../json.ts';
import { changeSwitches, DEFAULT_SWITCHES, type Switches } from '../switches.ts';
import { type Database, openDatabase, textOf } from './database.ts';
import { TABLES } from './schema.ts';

interface WorldOptions {
  readonly dataPath: string | undefined;
  /** Where the clock of a new world starts; a world that was there before keeps its own. */
  readonly clock: ClockSetting;
  readonly region: string;
  readonly fulfillmentUrl: string;
}

/** Where notices are posted, and the last one that was taken there. */
export interface NoticeTarget {
  readonly url: string | undefined;
  readonly sentSeq: number;
}

const NO_TARGET: NoticeTarget = { url: undefined, sentSeq: 0 };

/** Clock, switches, faults and the notice target are kept in memory for speed and written through: what a getter answers is on disk. */
export class World {
  readonly db: Database;
  readonly region: string;
  readonly fulfillmentUrl: string;
  /** Signs registration tokens; part of the world, so that a token outlives a restart. */
  #tokenKey: Buffer = Buffer.alloc(0);
  #clock: ClockState = { mode: 'real', rate: 1, anchorRealMs: 0, anchorMs: 0 };
  #switches: Switches = DEFAULT_SWITCHES;
  #faults: ArmedFaults = NO_FAULTS;
  #noticeTarget: NoticeTarget = NO_TARGET;
  readonly #firstClock: ClockSetting;

  constructor(options: WorldOptions) {
    this.db = openDatabase(options.dataPath);
    this.region = options.region;
    this.fulfillmentUrl = options.fulfillmentUrl;
    this.#firstClock = options.clock;
    this.db.transaction(() => this.#load());
  }

  now(): number {
    return worldNow(this.#clock);
  }

  get tokenKey(): Buffer {
    return this.#tokenKey;
  }

  get clock(): ClockState {
    return this.#clock;
  }

  set clock(state: ClockState) {
    this.#write('clock', { ...state });
    this.#clock = state;
  }

  get switches(): Switches {
    return this.#switches;
  }

  set switches(switches: Switches) {
    this.#write('switches', { ...switches });
    this.#switches = switches;
  }

  get faults(): ArmedFaults {
    return this.#faults;
  }

  set faults(faults: ArmedFaults) {
    this.#write('faults', { ...faults });
    this.#faults = faults;
  }

  get noticeTarget(): NoticeTarget {
    return this.#noticeTarget;
  }

  set noticeTarget(target: NoticeTarget) {
    this.#write('noticeTarget', { ...target });
    this.#noticeTarget = target;
  }

  /** Ends this world and begins a new one as at the first start: no facts, no counts, the clock where it began. */
  reset(): void {
    this.db.transaction(() => {
      for (const table of TABLES) this.db.run(`DELETE FROM ${table}`);
      this.db.run('DELETE FROM sqlite_sequence');
      this.#load();
    });
  }

  #load(): void {
    const tokenKey = this.#read('tokenKey');
    const hex = tokenKey?.['hex'];
    this.#tokenKey = typeof hex === 'string' ? Buffer.from(hex, 'hex') : randomBytes(32);
    if (tokenKey === undefined) this.#write('tokenKey', { hex: this.#tokenKey.toString('hex') });

    const switches = changeSwitches(DEFAULT_SWITCHES, this.#read('switches') ?? {});
    this.#switches = typeof switches === 'string' ? DEFAULT_SWITCHES : switches;
    const faults = parseFaults(this.#read('faults') ?? {});
    this.#faults = typeof faults === 'string' ? NO_FAULTS : faults;

    const { url, sentSeq } = this.#read('noticeTarget') ?? {};
    const known = typeof sentSeq === 'number';
    this.#noticeTarget = known ? { url: typeof url === 'string' ? url : undefined, sentSeq } : NO_TARGET;
    this.#loadClock();
  }

  #loadClock(): void {
    const stored = this.#read('clock');
    const known = stored === undefined ? undefined : toClockState(stored);
    if (known !== undefined) {
      this.#clock = known;
      return;
    }
    const first = clockState(this.#firstClock, Date.now());
    if (first === undefined) throw new Error(`the clock can not start with ${JSON.stringify(this.#firstClock)}`);
    this.clock = first;
  }

  #read(name: string): JsonObject | undefined {
    const row = this.db.one('SELECT value FROM settings WHERE name = ?', name);
    const parsed = row === undefined ? undefined : parseJson(textOf(row, 'value'))?.value;
    return isJsonObject(parsed) ? parsed : undefined;
  }

  #write(name: string, value: JsonObject): void {
    this.db.run('INSERT OR REPLACE INTO settings (name, value) VALUES (?, ?)', name, JSON.stringify(value));
  }
}

function toClockState(stored: JsonObject): ClockState | undefined {
  const { mode, rate, anchorRealMs, anchorMs } = stored;
  if (mode !== 'real' && mode !== 'set' && mode !== 'accelerated') return undefined;
  if (typeof rate !== 'number' || typeof anchorRealMs !== 'number' || typeof anchorMs !== 'number') return undefined;
  return { mode, rate, anchorRealMs, anchorMs };
}

/** The clock as the control API shows it. */
export function clockView(world: World): JsonObject {
  const nowMs = world.now();
  return { ...world.clock, now: isoInstant(nowMs), nowMs };
}
