// What a view is asked, and what it answers with.
import type { Html } from '../lambdas/pages/html.ts';
import type { Section } from './layout.ts';
import type { Table } from './parts/table.ts';
import type { Site } from './site.ts';

export interface PageRequest {
  readonly url: URL;
  /** The parts of the path that the route leaves open. */
  readonly names: Readonly<Record<string, string>>;
  /** Empty but for a POST. */
  readonly form: URLSearchParams;
  /** The product that the console is narrowed to; absent for all of them. */
  readonly product?: string;
}

export type Reply =
  | {
      readonly kind: 'page';
      readonly title: string;
      readonly section: Section | 'none';
      readonly main: Html;
      readonly status?: number;
      /** Whether the page looks for what has changed by itself; one whose form is being filled in does not. */
      readonly isLive?: boolean;
      /** Those of its tables that can be downloaded. */
      readonly tables?: readonly Table[];
    }
  | { readonly kind: 'redirect'; readonly location: string; readonly cookie?: string }
  | { readonly kind: 'download'; readonly fileName: string; readonly lines: AsyncIterable<string> };

export type View = (site: Site, request: PageRequest) => Promise<Reply>;
