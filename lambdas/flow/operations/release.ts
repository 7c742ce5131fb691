// Reads:       a quarantined record, and the groups that are held
// Writes:      the record and its audit line; where asked, an audit line a group and then the group's release
// Once per:    action id; a group's line once per action id and group
// If it stops: the same act, under the same id, goes on with the groups
import { hash } from 'node:crypto';
import type { SealedHour } from '../../domain/ledger.ts';
import { groupKeysOf } from '../../domain/metering-result.ts';
import { type Act, actProblem, auditOf, partOf, type Refused, refuse } from '../../domain/operations/act.ts';
import { decideRelease, groupsAround, suspicionOf } from '../../domain/operations/release.ts';
import { liveLists } from '../live-lists.ts';
import type { HeldGroup, LedgerStore, WorkStore } from '../ports.ts';
import { type ActOutcome, type AmendPorts, amendRecord, type Doing, type RecordName } from './amend-record.ts';

export interface ReleasePorts extends Omit<AmendPorts, 'work' | 'ledger'> {
  readonly ledger: Pick<LedgerStore, 'sealed' | 'amend' | 'action' | 'noteAction' | 'open' | 'refused' | 'records'>;
  readonly work: Pick<WorkStore, 'markLate' | 'markTouched' | 'heldGroups' | 'releaseGroup'>;
  readonly stateShards: number;
}

interface ReleaseTerms extends Doing {
  /** Releases the groups that the record belongs to as well; else it stays unsent while one is held. */
  readonly withGroups?: boolean;
}

export type ReleaseOutcome = ActOutcome & {
  /** Groups and suspicions around the record: released where that was asked for, else still in the way. */
  readonly groups: readonly string[];
};

/** Lets a quarantined record be sent again at once. */
export async function release(
  ports: ReleasePorts,
  name: RecordName,
  act: Act,
  terms: ReleaseTerms = {},
): Promise<ReleaseOutcome> {
  const done = { ...terms, act, action: 'release' } as const;
  const outcome = await amendRecord(ports, name, done, (record) => decideRelease(record, act, ports.clock()));
  if (outcome.kind === 'refused') return { ...outcome, groups: [] };
  const record = outcome.kind === 'already' ? await ports.ledger.sealed(...placeOf(name)) : outcome.before;
  const groups = record ? groupsAround(record, (await ports.work.heldGroups()).keys()) : [];
  if (terms.withGroups && !terms.dryRun) for (const key of groups) await releaseKey(ports, key, act);
  return { ...outcome, groups };
}

function placeOf({ hour, licenceKey, dimension }: RecordName): Parameters<LedgerStore['sealed']> {
  return [hour, licenceKey, dimension];
}

/** The line first: what a stop between leaves is an act that was noted, and is done by its repeat. */
async function releaseKey(ports: ReleasePorts, key: string, act: Act): Promise<void> {
  const own = partOf(act, hash('sha256', key).slice(0, 16));
  await ports.ledger.noteAction(auditOf(own, 'releaseGroup', {}, ports.clock(), { group: key }));
  await ports.work.releaseGroup(key);
}

/** How many records of a group are shown. */
const SHOWN = 100;

export type ReleaseGroupOutcome =
  | Refused
  | {
      readonly kind: 'planned' | 'done' | 'already';
      /** The group, and the suspicions of it. */
      readonly groups: readonly HeldGroup[];
      /** Live records that share the fault: how many, and the first of them. Quarantined ones are released one by one. */
      readonly waiting: number;
      readonly quarantined: number;
      readonly shown: readonly SealedHour[];
    };

/** Lets the records of a group be sent again. A group that was released too early is held again by the next refusal. */
export async function releaseGroup(
  ports: ReleasePorts,
  key: string,
  act: Act,
  doing: Doing = {},
): Promise<ReleaseGroupOutcome> {
  const problem = actProblem(act);
  if (problem) return problem;
  const held = await ports.work.heldGroups();
  const groups = [...held.values()].filter((group) => group.key === key || group.key.startsWith(suspicionOf(key)));
  const noted = await ports.ledger.action(act.actionId);
  if (noted && noted.facts['group'] !== key) {
    return refuse('actionIdTaken', `The act's id ${act.actionId} stands for another act (${noted.action}).`);
  }
  if (groups.length === 0 && !noted) {
    const known = [...held.keys()].map((each) => `'${each}'`).join(', ') || 'none';
    return refuse('groupNotHeld', `No group '${key}' is held. Held are: ${known}.`);
  }
  const sharing = await recordsOf(ports, key);
  if (doing.dryRun) return { kind: 'planned', groups, ...sharing };
  await ports.ledger.noteAction(
    auditOf(act, 'releaseGroup', {}, ports.clock(), { group: key, waiting: sharing.waiting }),
  );
  for (const group of groups) await ports.work.releaseGroup(group.key);
  return { kind: noted ? 'already' : 'done', groups, ...sharing };
}

async function recordsOf(ports: ReleasePorts, key: string) {
  const shown: SealedHour[] = [];
  let [waiting, quarantined] = [0, 0];
  for (const list of liveLists(ports.ledger, ports.stateShards)) {
    // What can't be read is named by every run of the sender.
    for await (const page of list.pages(() => {})) {
      const records = await ports.ledger.records(page, () => {});
      for (const record of records.filter((each) => groupKeysOf(each).includes(key))) {
        if (record.status === 'quarantined') quarantined += 1;
        else waiting += 1;
        if (shown.length < SHOWN) shown.push(record);
      }
    }
  }
  return { waiting, quarantined, shown };
}
