// The period over which alarms count.
import { Duration } from 'aws-cdk-lib';

export const FIVE_MINUTES = Duration.minutes(5);
