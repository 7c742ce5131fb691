// A setting that is the ARN of something of one AWS service.
import * as v from 'valibot';

export const arnOf = (service: string) =>
  v.pipe(
    v.string(),
    v.startsWith('arn:', `has to be an ARN of ${service}`),
    v.includes(`:${service}:`, `has to be an ARN of ${service}`),
  );
