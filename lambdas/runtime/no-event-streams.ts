// Stands in for the SDK's event streams in what is deployed: lib/constructs/bundle.ts puts it in the place of
// @smithy/core/event-streams. No operation that we call has one, and the code for them is 20 KiB of every function.

/** What the SDK would make at the first event stream. */
export class EventStreamSerde {
  constructor() {
    throw new Error('Event streams are left out of the bundle; see lib/constructs/bundle.ts.');
  }
}
