// The resources that the emulator's CloudFormation refuses. That it still does is tried in cannot.ts.

export interface UnknownResource {
  readonly type: string;
  /** Only with this property is the resource refused; always, where absent. In CDK's writing. */
  readonly property?: string;
  /** Where else it is tested, or what is done in its place. */
  readonly instead: string;
}

export const UNKNOWN_RESOURCES: readonly UnknownResource[] = [
  { type: 'AWS::SecretsManager::RotationSchedule', instead: 'the rotation is run by hand' },
  { type: 'AWS::WAFv2::WebACLAssociation', instead: 'the template is tested; the web ACL itself is made' },
  { type: 'AWS::CloudWatch::Alarm', property: 'metrics', instead: 'the template is tested' },
];
