// A customer's standing: a fold over every notice of its agreements, through one table of allowed moves.
import { licenceKeyOf } from './licence.ts';
import { DEFAULT_METERING_POLICY } from './metering-policy.ts';
import { byTime, type Notice, type NoticeKind } from './notice.ts';

export const TERM_STATES = ['awaitingLicence', 'failed', 'active', 'ending', 'succeeded', 'ended'] as const;
export const MOVES = ['started', 'failed', 'endAnnounced', 'succeeded', 'ended'] as const;

type TermState = (typeof TERM_STATES)[number];
type Move = (typeof MOVES)[number];

/**
 * The allowed moves of one agreement; any other leaves it as it is. Nothing leads out of an end, so that a late or
 * repeated notice revives nothing, and nothing but a notice that the licence is active leads to access.
 */
export const ALLOWED_MOVES: Readonly<Record<TermState, Readonly<Partial<Record<Move, TermState>>>>> = {
  awaitingLicence: { started: 'active', failed: 'failed', endAnnounced: 'ended', succeeded: 'ended', ended: 'ended' },
  failed: { started: 'active', endAnnounced: 'ended', succeeded: 'ended', ended: 'ended' },
  active: { endAnnounced: 'ending', succeeded: 'succeeded', ended: 'ended' },
  ending: { ended: 'ended' },
  // Its licence may go before its successor's is there: access goes on until the successor decides.
  succeeded: {},
  ended: {},
};

export const MOVE_OF: Readonly<Partial<Record<NoticeKind, Move>>> = {
  licenceUpdated: 'started',
  subscribed: 'started',
  subscribeFailed: 'failed',
  agreementEnded: 'endAnnounced',
  unsubscribePending: 'endAnnounced',
  agreementSucceeded: 'succeeded',
  licenceDeprovisioned: 'ended',
  unsubscribed: 'ended',
};

const MARKS = ['advisory', 'awaitingSuccessor', 'cancellationRequested', 'freeTrial', 'spendVetFailed'] as const;

/** What a person should know; no mark cuts access. */
export type Mark = (typeof MARKS)[number];

const MARKS_SET: Readonly<Partial<Record<NoticeKind, readonly [Mark, boolean]>>> = {
  advisoryIssued: ['advisory', true],
  advisoryResolved: ['advisory', false],
  cancellationRequested: ['cancellationRequested', true],
  cancellationDropped: ['cancellationRequested', false],
  spendVetFailed: ['spendVetFailed', true],
  spendVetPassed: ['spendVetFailed', false],
};

/** One agreement as its notices tell it. The legacy channel names none: its terms are told apart by time. */
export interface Term {
  readonly agreementId?: string;
  readonly state: TermState;
  readonly marks: readonly Mark[];
  /** Keys of the licences that its notices named. */
  readonly licenceKeys: readonly string[];
  readonly offerId?: string;
  /** When the agreement begins and ends, as it says itself. */
  readonly startsAt?: number;
  readonly endsAt?: number;
  /** When AWS said that its licence is active. */
  readonly startedAt?: number;
  /** The first notice of the end, and the end. */
  readonly noticeAt?: number;
  readonly endedAt?: number;
}

/** What the seller's product is told. No instant of a notice stands in it: two channels tell one change at two. */
export interface Standing {
  readonly state: 'awaitingLicence' | 'failed' | 'scheduled' | 'active' | 'ending' | 'ended';
  readonly marks: readonly Mark[];
  readonly agreements: readonly StandingAgreement[];
  readonly registeredAt?: number;
  /**
   * When what the buyer is entitled to may have changed last: by a notice, or as AWS was asked; absent before the first
   * change.
   */
  readonly entitlementsAsOf?: number;
  /** Another customer, whose agreement this one's turned out to succeed. */
  readonly joinedInto?: string;
}

export type StandingAgreement = Pick<Term, 'agreementId' | 'state' | 'licenceKeys' | 'offerId' | 'startsAt' | 'endsAt'>;

export const UNKNOWN_STANDING: Standing = { state: 'awaitingLicence', marks: [], agreements: [] };

export function hasAccess({ state }: Pick<Standing, 'state'>): boolean {
  return state === 'active' || state === 'ending';
}

/** What is known of a customer besides its notices. */
export interface CustomerFacts {
  readonly registeredAt?: number;
  readonly joinedInto?: string;
  /** When entitlements were last found changed of which no notice had told. */
  readonly entitlementsFoundAt?: number;
  /** Whether the product is metered by licence, so that a message of SNS may be about another agreement of the buyer. */
  readonly isByLicence?: boolean;
}

export interface Fold {
  readonly standing: Standing;
  readonly terms: readonly Term[];
  /** When the standing changes without a further notice: an agreement begins, or its end is presumed. */
  readonly changesAt?: number;
}

/**
 * When access counts as revoked where AWS has announced an end and does not go on to say that the licence is gone. As
 * metering has it: usage after it is billed to nobody, so that the product has to be told.
 */
function accessEndsAt({ state, noticeAt = Infinity }: Term): number {
  return state === 'ending' ? noticeAt + DEFAULT_METERING_POLICY.noticeToRevokeMs : Infinity;
}

/** Folds all notices of a customer, in whatever order and however often they came. */
export function foldStanding(notices: Iterable<Notice>, facts: CustomerFacts, nowMs: number): Fold {
  const known = new Map([...notices].map((notice) => [notice.noticeId, notice]));
  const ordered = [...known.values()].sort(byTime);
  const { isByLicence = false } = facts;
  const terms = ordered.reduce<readonly Term[]>(
    (folded, notice) => (isByLicence && isOvertaken(folded, notice) ? folded : withNotice(folded, notice)),
    [],
  );
  const shown = terms.map((term) => (accessEndsAt(term) <= nowMs ? { ...term, state: 'ended' as const } : term));
  const { state, awaitsSuccessor } = summary(shown, nowMs);
  const marks = new Set(shown.filter((term) => term.state !== 'ended').flatMap((term) => term.marks));
  if (awaitsSuccessor) marks.add('awaitingSuccessor');
  const entitlementsAsOf = later(lastEntitlements(ordered), facts.entitlementsFoundAt);
  const begins = terms.filter((term) => term.state === 'active' && !hasBegun(term, nowMs));
  const standing: Standing = {
    state,
    marks: MARKS.filter((mark) => marks.has(mark)),
    agreements: shown.map(told),
    ...(facts.registeredAt === undefined ? {} : { registeredAt: facts.registeredAt }),
    ...(entitlementsAsOf === undefined ? {} : { entitlementsAsOf }),
    ...(facts.joinedInto === undefined || terms.length > 0 ? {} : { joinedInto: facts.joinedInto }),
  };
  const changesAt = Math.min(
    ...begins.map(({ startsAt = Infinity }) => startsAt),
    ...shown.filter((term) => term.state === 'ending').map(accessEndsAt),
  );
  return { standing, terms, ...(changesAt === Infinity ? {} : { changesAt }) };
}

/** What a buyer had before the product was metered by licence is SNS's to tell of, until EventBridge has named it. */
function isOvertaken(terms: readonly Term[], { agreementId }: Notice): boolean {
  return agreementId === undefined && terms.some((term) => term.agreementId !== undefined);
}

/** Kinds that tell nothing of any one agreement. */
const OF_NO_TERM: ReadonlySet<NoticeKind> = new Set(['recorded', 'entitlementsUpdated']);

function withNotice(terms: readonly Term[], notice: Notice): readonly Term[] {
  if (OF_NO_TERM.has(notice.kind)) return terms;
  const index = notice.agreementId === undefined ? unnamedIndex(terms, notice) : namedIndex(terms, notice);
  const term = terms[index];
  return term ? terms.with(index, advanced(term, notice)) : [...terms, advanced(NEW_TERM, notice)];
}

const NEW_TERM: Term = { state: 'awaitingLicence', marks: [], licenceKeys: [] };

/** The agreement's own term; else one that the legacy channel opened for it. */
function namedIndex(terms: readonly Term[], { agreementId, kind }: Notice): number {
  const own = terms.findIndex((term) => term.agreementId === agreementId);
  if (own >= 0) return own;
  const isEnd = MOVE_OF[kind] === 'endAnnounced' || MOVE_OF[kind] === 'ended';
  return terms.findLastIndex(
    ({ agreementId: name, state }) => name === undefined && state !== 'ended' && (state !== 'ending' || isEnd),
  );
}

/** The term that runs or is to run; a subscription after an end, which may never have been finished, is a new one. */
function unnamedIndex(terms: readonly Term[], { kind }: Notice): number {
  const lastIn = (...states: TermState[]) => terms.findLastIndex(({ state }) => states.includes(state));
  const open = [lastIn('active'), lastIn('awaitingLicence', 'failed')].find((index) => index >= 0);
  if (open !== undefined) return open;
  if (MOVE_OF[kind] === 'started' || MOVE_OF[kind] === 'failed') return -1;
  const ending = lastIn('ending');
  return ending >= 0 ? ending : terms.length - 1;
}

function advanced(term: Term, notice: Notice): Term {
  const { kind, atMs, agreementId, licenceArn, offerId } = notice;
  const move = MOVE_OF[kind];
  // What ends before it has begun gives no access, neither until AWS takes the licence nor when its day comes.
  const isAhead = term.state === 'active' && move !== 'failed' && !hasBegun(term, atMs);
  const state = (move && ALLOWED_MOVES[isAhead ? 'awaitingLicence' : term.state][move]) ?? term.state;
  const isEnd = move === 'endAnnounced' || move === 'ended';
  const licenceKey = licenceArn === undefined ? undefined : licenceKeyOf({ style: 'licence', licenceArn });
  return {
    ...term,
    ...(agreementId === undefined ? {} : { agreementId }),
    ...(offerId === undefined ? {} : { offerId }),
    ...boundsOf(term, notice),
    state,
    marks: marksOf(term, notice),
    licenceKeys:
      licenceKey === undefined || term.licenceKeys.includes(licenceKey)
        ? term.licenceKeys
        : [...term.licenceKeys, licenceKey],
    ...(state === 'active' && term.startedAt === undefined ? { startedAt: atMs } : {}),
    // Whatever the state: metering has to know of each step of an end, also of what was never active.
    ...(isEnd && term.noticeAt === undefined ? { noticeAt: atMs } : {}),
    ...(move === 'ended' && term.endedAt === undefined ? { endedAt: atMs } : {}),
  };
}

function boundsOf(term: Term, { kind, atMs, startsAt, endsAt }: Notice): Pick<Term, 'startsAt' | 'endsAt'> {
  if (kind !== 'agreementCreated' && kind !== 'agreementAmended') return {};
  // An amendment that is to begin later takes nothing from what had begun when it was made.
  const hasRun = kind === 'agreementAmended' && term.startedAt !== undefined && hasBegun(term, atMs);
  const start = hasRun ? undefined : startsAt;
  return { ...(start === undefined ? {} : { startsAt: start }), ...(endsAt === undefined ? {} : { endsAt }) };
}

function marksOf({ marks }: Term, { kind, isFreeTrial }: Notice): readonly Mark[] {
  const [mark, isSet] =
    MARKS_SET[kind] ??
    (kind === 'subscribed' && isFreeTrial !== undefined ? (['freeTrial', isFreeTrial] as const) : []);
  if (mark === undefined) return marks;
  const others = marks.filter((each) => each !== mark);
  return isSet ? [...others, mark] : others;
}

/** An agreement whose beginning lies ahead gives no access before it. */
export function hasBegun({ startsAt }: Pick<Term, 'startsAt'>, nowMs: number): boolean {
  return startsAt === undefined || startsAt <= nowMs;
}

interface Summary {
  readonly state: Standing['state'];
  readonly awaitsSuccessor?: boolean;
}

/** The most that any of the agreements gives. */
function summary(terms: readonly Term[], nowMs: number): Summary {
  const active = terms.filter(({ state }) => state === 'active');
  if (active.some((term) => hasBegun(term, nowMs))) return { state: 'active' };
  if (terms.some(({ state }) => state === 'ending')) return { state: 'ending' };
  if (awaitsSuccessor(terms, nowMs)) return { state: 'active', awaitsSuccessor: true };
  if (active.length > 0) return { state: 'scheduled' };
  if (terms.some(({ state }) => state === 'awaitingLicence')) return { state: 'awaitingLicence' };
  const last = terms.at(-1)?.state;
  if (last === undefined) return { state: UNKNOWN_STANDING.state };
  return { state: last === 'failed' ? 'failed' : 'ended' };
}

/** Renewed or replaced, and no later agreement has taken over yet. */
function awaitsSuccessor(terms: readonly Term[], nowMs: number): boolean {
  const succeeded = terms.filter(({ state }) => state === 'succeeded');
  const sinceAt = Math.max(...succeeded.map(firstAt));
  const hasTakenOver = (term: Term) => term.state === 'ended' || (term.state === 'active' && hasBegun(term, nowMs));
  return succeeded.length > 0 && !terms.some((term) => hasTakenOver(term) && firstAt(term) >= sinceAt);
}

function firstAt({ startedAt, noticeAt = 0 }: Term): number {
  return startedAt ?? noticeAt;
}

function told({ agreementId, state, licenceKeys, offerId, startsAt, endsAt }: Term): StandingAgreement {
  return {
    state,
    licenceKeys,
    ...(agreementId === undefined ? {} : { agreementId }),
    ...(offerId === undefined ? {} : { offerId }),
    ...(startsAt === undefined ? {} : { startsAt }),
    ...(endsAt === undefined ? {} : { endsAt }),
  };
}

const TELL_OF_ENTITLEMENTS: ReadonlySet<NoticeKind> = new Set(['licenceUpdated', 'agreementAmended']);
const TELL_OF_LEGACY_ENTITLEMENTS: ReadonlySet<NoticeKind> = new Set(['subscribed', 'entitlementsUpdated']);

/** Whether what a customer is entitled to may be another since a notice. An end is none: what ends gives nothing new. */
export function mayChangeEntitlements({ kind }: Pick<Notice, 'kind'>): boolean {
  return TELL_OF_ENTITLEMENTS.has(kind) || TELL_OF_LEGACY_ENTITLEMENTS.has(kind);
}

function later(one: number | undefined, other: number | undefined): number | undefined {
  return one === undefined || other === undefined ? (one ?? other) : Math.max(one, other);
}

/** The legacy channel is heard only where the other is silent, or each change would be told twice. */
function lastEntitlements(ordered: readonly Notice[]): number | undefined {
  const named = ordered.filter(({ kind }) => TELL_OF_ENTITLEMENTS.has(kind));
  const heard = named.length > 0 ? named : ordered.filter(({ kind }) => TELL_OF_LEGACY_ENTITLEMENTS.has(kind));
  // The very first start brings the entitlements that access begins with: no change of any.
  const first = heard.findIndex(({ kind }) => MOVE_OF[kind] === 'started');
  return heard.findLast((_, index) => index !== first)?.atMs;
}
