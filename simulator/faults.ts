// Faults that a tester arms: which are there, what each needs, and which one meets the next call.
import { isJsonObject, type JsonObject } from './json.ts';

const KINDS = [
  'throttle',
  'internalError',
  'accessDenied',
  'expiredCredentials',
  'disabledApi',
  'partialUnprocessed',
  'acceptThenTimeout',
  'refuseThenTimeout',
  'dropConnection',
  'slow',
  'unknownStatus',
  'missingResults',
  'missingLicenseArn',
] as const;

type FaultKind = (typeof KINDS)[number];

/**
 * One kind of trouble for the next `count` calls that it fits. Members that a kind does not use keep their defaults.
 */
export interface Fault {
  readonly kind: FaultKind;
  readonly operation?: string;
  /** How many more calls it meets. */
  readonly count: number;
  /** partialUnprocessed, missingResults: how many records are treated as usual. */
  readonly keep: number;
  /** slow, acceptThenTimeout, refuseThenTimeout: how long before the answer, or the silence, ends. Wall time. */
  readonly delayMs: number;
  /** unknownStatus: the status to answer. */
  readonly status: string;
  /** internalError, missingResults: whether the records are billed all the same. */
  readonly apply: boolean;
}

/** All that is armed: a rate, a rhythm and regions stay until they are disarmed; `next` is used up call by call. */
export interface ArmedFaults {
  /** For every operation, or by operation. */
  readonly throttlePerSecond?: number | Readonly<Record<string, number>>;
  readonly internalErrorEvery?: number;
  readonly disabledRegions: readonly string[];
  readonly next: readonly Fault[];
}

export const NO_FAULTS: ArmedFaults = { disabledRegions: [], next: [] };

/** Kinds that say something about one operation's answer and so wait for a call of it. */
const OPERATION_OF_KIND: Partial<Record<FaultKind, string>> = {
  partialUnprocessed: 'BatchMeterUsage',
  unknownStatus: 'BatchMeterUsage',
  missingResults: 'BatchMeterUsage',
  missingLicenseArn: 'ResolveCustomer',
};

/** The fault that the next call of this operation meets, and what stays armed after it. Same input, same answer. */
export function nextFault(armed: ArmedFaults, operation: string): { fault: Fault | undefined; rest: ArmedFaults } {
  const index = armed.next.findIndex(
    (fault) =>
      (fault.operation === undefined || fault.operation === operation) &&
      (OPERATION_OF_KIND[fault.kind] === undefined || OPERATION_OF_KIND[fault.kind] === operation),
  );
  const fault = armed.next[index];
  if (fault === undefined) return { fault: undefined, rest: armed };
  const spent = fault.count > 1 ? [{ ...fault, count: fault.count - 1 }] : [];
  return { fault, rest: { ...armed, next: [...armed.next.slice(0, index), ...spent, ...armed.next.slice(index + 1)] } };
}

/** Counts calls in any second of wall time; the call that would be one too many is refused and does not count. */
export interface Throttle {
  admits(key: string, perSecond: number, wallMs: number): boolean;
}

/** A throttle that remembers one second per key and nothing across restarts: it measures load, not history. */
export function createThrottle(): Throttle {
  const admitted = new Map<string, number[]>();
  return {
    admits: (key, perSecond, wallMs) => {
      const recent = (admitted.get(key) ?? []).filter((at) => wallMs - at < 1000);
      const room = recent.length < perSecond;
      admitted.set(key, room ? [...recent, wallMs] : recent);
      return room;
    },
  };
}

const FAULT_MEMBERS = ['kind', 'operation', 'count', 'keep', 'delayMs', 'status', 'apply'];
const ARMED_MEMBERS = ['throttlePerSecond', 'internalErrorEvery', 'disabledRegions', 'next'];
const LONGEST_DELAY_MS = 600_000;

/** Reads what a tester sent. Returns a sentence instead where something is wrong: what, and what is expected. */
export function parseFaults(body: JsonObject): ArmedFaults | string {
  const stranger = Object.keys(body).find((name) => !ARMED_MEMBERS.includes(name));
  if (stranger !== undefined) return `there is no fault setting ${stranger}; there are ${ARMED_MEMBERS.join(', ')}`;
  const { throttlePerSecond, internalErrorEvery } = body;
  if (throttlePerSecond !== undefined && !isRate(throttlePerSecond) && !isRates(throttlePerSecond)) {
    return 'throttlePerSecond must be a whole number from 1, or an object of such by operation';
  }
  if (internalErrorEvery !== undefined && !isRate(internalErrorEvery)) {
    return 'internalErrorEvery must be a whole number from 1';
  }
  const regions = body['disabledRegions'] ?? [];
  if (!Array.isArray(regions) || !regions.every((region) => typeof region === 'string')) {
    return 'disabledRegions must be a list of region names';
  }
  const next = body['next'] ?? [];
  if (!Array.isArray(next) || next.length > 1000) return 'next must be a list of at most 1000 faults';
  const faults: Fault[] = [];
  for (const entry of next) {
    const fault = parseFault(entry);
    if (typeof fault === 'string') return fault;
    faults.push(fault);
  }
  return {
    ...(throttlePerSecond !== undefined && { throttlePerSecond }),
    ...(internalErrorEvery !== undefined && { internalErrorEvery }),
    disabledRegions: regions,
    next: faults,
  };
}

function parseFault(entry: unknown): Fault | string {
  if (!isJsonObject(entry)) return 'each fault of next must be an object';
  const stranger = Object.keys(entry).find((name) => !FAULT_MEMBERS.includes(name));
  if (stranger !== undefined) return `a fault has no member ${stranger}; it has ${FAULT_MEMBERS.join(', ')}`;
  const kind = KINDS.find((known) => known === entry['kind']);
  if (kind === undefined) return `kind must be one of ${KINDS.join(', ')}`;
  const { operation, count = 1, keep = 0, delayMs = 0, status = 'PendingReview', apply = false } = entry;
  if (operation !== undefined && typeof operation !== 'string') return 'operation must be the name of an operation';
  if (!isWhole(count, 1, 1_000_000)) return 'count must be a whole number from 1 to 1000000';
  if (!isWhole(keep, 0, 25)) return 'keep must be a whole number from 0 to 25';
  if (!isWhole(delayMs, 0, LONGEST_DELAY_MS)) return `delayMs must be a whole number from 0 to ${LONGEST_DELAY_MS}`;
  if (typeof status !== 'string') return 'status must be text';
  if (typeof apply !== 'boolean') return 'apply must be true or false';
  return { kind, count, keep, delayMs, status, apply, ...(operation !== undefined && { operation }) };
}

function isRate(value: unknown): value is number {
  return isWhole(value, 1, 1_000_000);
}

function isRates(value: unknown): value is Record<string, number> {
  return isJsonObject(value) && Object.values(value).every(isRate);
}

function isWhole(value: unknown, least: number, most: number): value is number {
  return typeof value === 'number' && Number.isInteger(value) && value >= least && value <= most;
}
