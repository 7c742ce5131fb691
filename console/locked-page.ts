// What a browser sees that was not let in. It says nothing of the deployment, and loads nothing.
import { createHash } from 'node:crypto';

const STYLE =
  ':root{color-scheme:light dark;font:1rem/1.5 system-ui,sans-serif}body{max-width:34rem;margin:15vh auto;padding:0 1rem}h1{font-size:1.4rem}';

/** Lets exactly this style through the content security policy. */
export const LOCKED_STYLE_HASH = `sha256-${createHash('sha256').update(STYLE).digest('base64')}`;

export const LOCKED_PAGE = `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Locked – Fulfillment console</title>
<link rel="icon" href="data:,">
<style>${STYLE}</style>
</head>
<body>
<main>
<h1>Please open the address with the secret</h1>
<p>The console printed an address at its start that ends in <code>?secret=…</code>. Open that one in this browser; it is
asked for once in each start, and by each of the names 127.0.0.1 and localhost.</p>
</main>
</body>
</html>
`;
