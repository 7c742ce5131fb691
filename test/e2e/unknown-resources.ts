// The types of resources that the emulator's CloudFormation refuses. That it still does is tried in cannot.ts.
export const UNKNOWN_RESOURCES: readonly string[] = ['AWS::SecretsManager::RotationSchedule'];
