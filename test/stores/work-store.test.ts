import { describe } from 'vitest';
import { DynamoWorkStore } from '../../lambdas/stores/work-store.ts';
import { describeWorkStore } from '../contracts/work-contract.ts';
import { useEngine } from './engine-tables.ts';

const engine = useEngine();

describe('the work table', () =>
  describeWorkStore(async () => {
    const { client, tables } = await engine();
    return new DynamoWorkStore(client, tables.work);
  }));
