// node vod.mjs FOLDER: plays FOLDER/master.m3u8 in hls.js and FOLDER/manifest.mpd in dash.js and Shaka, from the lowest
// rung with a switch to the highest, and fails on any error, a missing switch, or an end that is not reached. Speaks TAP.
import path from 'node:path';
import {fileURLToPath} from 'node:url';

import {launch} from './chromium.mjs';
import {serve} from './server.mjs';

const here = path.dirname(fileURLToPath(import.meta.url));
const folder = path.resolve(process.argv[2]);
const kRuns = [
  {player: 'hls', manifest: 'master.m3u8'},
  {player: 'dash', manifest: 'manifest.mpd'},
  {player: 'shaka', manifest: 'manifest.mpd'},
  {player: 'shaka', manifest: 'master.m3u8'},
];
const kSeconds = 60; // for a clip of a few seconds: a hang, not a speed limit

async function play(browser, origin, {player, manifest}) {
  const page = await browser.newPage();
  const said = [];
  page.on('pageerror', (error) => said.push(error.message));
  await page.goto(`${origin}/page/vod.html?player=${player}&url=${encodeURIComponent(`/media/${manifest}`)}`);
  let ended = true;
  await page.waitForFunction(() => window.state?.ended || window.state?.errors.length, null, {timeout: kSeconds * 1000}).catch(() => { ended = false; });
  const state = await page.evaluate(() => window.state);
  await page.close();
  const problems = [...state.errors, ...said];
  if (!ended) problems.push(`no end after ${kSeconds} s`);
  if (state.levels < 2) problems.push(`only ${state.levels} rung(s)`);
  if (state.levels >= 2 && state.heights.length < 2 && !process.argv.includes('--one-size')) problems.push(`no switch: heights ${state.heights}`);
  if (!(state.time > 0.9 * state.duration)) problems.push(`stopped at ${state.time} of ${state.duration} s`);
  return {problems, state};
}

const browser = await launch();
const server = await serve({'/media/': folder, '/page/': here, '/npm/': path.join(here, 'node_modules')});
let failed = 0;
console.log(`1..${kRuns.length}`);
for (const [index, run] of kRuns.entries()) {
  const {problems, state} = await play(browser, server.origin, run);
  const missing = server.requests.filter((request) => request.status >= 400 && request.name !== '/favicon.ico').map((request) => `${request.status} ${request.name}`);
  problems.push(...missing);
  server.requests.length = 0;
  console.log(`${problems.length ? 'not ok' : 'ok'} ${index + 1} - ${run.player} plays ${run.manifest}`);
  console.log(`# ${JSON.stringify(state)}`);
  for (const problem of problems) console.log(`# ${problem}`);
  failed += problems.length > 0;
}
await browser.close();
server.close();
process.exit(failed ? 1 : 0);
