// The marketplace of this run: the simulator, whose buyers bought five hours ago.
import { ControlClient } from '../../operator/control-client.ts';
import { type Simulator, startSimulator } from '../../simulator/simulator.ts';
import { BACKUP, INCLUDED_GB, LISTINGS } from './settings.ts';

const HOUR_MS = 3_600_000;

export interface Purchase {
  readonly productCode: string;
  readonly agreementId: string;
  readonly licenceArn: string;
}

export interface BillLine {
  readonly productCode: string;
  readonly licenceArn: string;
  readonly dimension: string;
  readonly hour: string;
  readonly quantity: number;
}

export class Marketplace {
  readonly control: ControlClient;
  readonly url: string;
  readonly #simulator: Simulator;

  private constructor(simulator: Simulator) {
    this.#simulator = simulator;
    this.url = simulator.url;
    this.control = new ControlClient(simulator.url, simulator.controlSecret);
  }

  static async open(nowMs: number): Promise<Marketplace> {
    const at = new Date(nowMs - 5 * HOUR_MS).toISOString();
    return new Marketplace(await startSimulator({ seed: 'none', clock: { mode: 'set', at } }));
  }

  /** One buyer of each product, five hours ago; then the clock is the wall's. */
  async sell(): Promise<readonly Purchase[]> {
    const purchases: Purchase[] = [];
    for (const { productCode, ...listing } of LISTINGS) {
      await this.control.put(`/control/products/${productCode}`, listing);
      const entitlements = productCode === BACKUP ? [{ dimension: 'gb_stored', value: INCLUDED_GB }] : undefined;
      const order = { productCode, ...(entitlements ? { entitlements } : {}) };
      const { agreementId, licenceArn } = await this.control.post<Purchase>('/control/agreements', order);
      purchases.push({ productCode, agreementId, licenceArn });
    }
    await this.control.put('/control/clock', { mode: 'real' });
    return purchases;
  }

  async token({ agreementId }: Purchase): Promise<string> {
    const { token } = await this.control.post<{ token: string }>(`/control/agreements/${agreementId}/tokens`);
    return token;
  }

  async cancel({ agreementId }: Purchase): Promise<void> {
    await this.control.post(`/control/agreements/${agreementId}/cancel`);
  }

  async bill(): Promise<readonly BillLine[]> {
    const { lines } = await this.control.get<{ lines: BillLine[] }>('/control/bill');
    return lines;
  }

  close(): Promise<void> {
    return this.#simulator.close();
  }
}
