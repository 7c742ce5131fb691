// What SNS puts into a queue that somebody else than its owner subscribed to a topic.
export const TOPIC = 'arn:aws:sns:us-east-1:287250355862:aws-mp-subscription-notification-legacycode1234567890';

export const TOKEN = '2336412f37fb687f5d51e6e2425f004ae56c3afa5e3b3a9bdd1ba5a1d9a1f5c2';

/** The message, with some of its members replaced. */
export function confirmationOf(overrides: object = {}): string {
  return JSON.stringify({
    Type: 'SubscriptionConfirmation',
    MessageId: '165545c9-2a5c-472c-8df2-7ff2be2b3b1b',
    Token: TOKEN,
    TopicArn: TOPIC,
    Message: `You have chosen to subscribe to the topic ${TOPIC}.`,
    SubscribeURL: `https://elsewhere.example/?Action=ConfirmSubscription&TopicArn=${TOPIC}&Token=${TOKEN}`,
    Timestamp: '2026-09-21T14:00:00.000Z',
    SignatureVersion: '1',
    Signature: 'EXAMPLE',
    SigningCertURL: 'https://elsewhere.example/cert.pem',
    ...overrides,
  });
}
