import { describe } from 'vitest';
import { aProduct } from '../builders.ts';
import { describeNoticeStore } from '../contracts/notice-contract.ts';
import { LifecycleTables, memoryNoticePorts } from './memory-notices.ts';

describe('MemoryNoticeStore', () => {
  describeNoticeStore(async () => memoryNoticePorts(new LifecycleTables(), [aProduct()]).ports);
});
