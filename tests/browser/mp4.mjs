// node mp4.mjs FOLDER: Chromium plays and seeks FOLDER/first.mp4 (movie box first) and last.mp4 (the same at the end) over
// HTTP ranges, and cmaf.mp4 through Media Source Extensions; mp4box.js reads them all. FOLDER/frames holds the number of
// pictures each has. The bytes sent before the first picture are printed beside each other. Speaks TAP.
import fs from 'node:fs';
import path from 'node:path';
import {fileURLToPath} from 'node:url';

import {createFile} from 'mp4box';

import {launch} from './chromium.mjs';
import {serve} from './server.mjs';

const here = path.dirname(fileURLToPath(import.meta.url));
const folder = path.resolve(process.argv[2]);
const frames = Number(fs.readFileSync(path.join(folder, 'frames'), 'utf8'));
const kSeconds = 90; // a hang, not a speed limit
let number = 0, failed = 0;
const check = (name, problems, note) => {
  console.log(`${problems.length ? 'not ok' : 'ok'} ${++number} - ${name}`);
  for (const line of [note, ...problems].filter(Boolean)) console.log(`# ${line}`);
  failed += problems.length > 0;
};

// Samples of the pictures' track and what is odd about them.
function readByMp4box(name) {
  const file = createFile();
  const problems = [];
  let count = 0, previous = -1;
  file.onError = (module, message) => problems.push(`${module}: ${message}`);
  file.onReady = (info) => {
    const track = info.videoTracks[0];
    file.setExtractionOptions(track.id, null, {nbSamples: 1});
    file.onSamples = (_id, _user, samples) => {
      for (const sample of samples) {
        ++count;
        if (sample.dts <= previous) problems.push(`decode time ${sample.dts} follows ${previous}`);
        previous = sample.dts;
      }
    };
    file.start();
  };
  const bytes = fs.readFileSync(path.join(folder, name));
  const buffer = bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.length);
  buffer.fileStart = 0;
  file.appendBuffer(buffer);
  file.flush();
  if (count !== frames) problems.push(`${count} samples instead of ${frames}`);
  return problems;
}

async function play(browser, server, name, mse) {
  server.requests.length = 0;
  const page = await browser.newPage();
  const problems = [];
  page.on('pageerror', (error) => problems.push(error.message));
  await page.goto(`${server.origin}/page/mp4.html?file=/media/${name}${mse ? '&mse=1' : ''}`);
  const wait = (what) => page.waitForFunction((key) => window.state?.[key] || window.state?.errors.length, what, {timeout: kSeconds * 1000});
  await wait('first').catch(() => problems.push('no first picture'));
  const media = server.requests.filter((request) => request.name.endsWith(name));
  const cost = {requests: media.length, sent: media.reduce((sum, request) => sum + (request.sent ?? 0), 0)};
  page.evaluate(() => window.proceed?.()).catch(() => {});
  await wait('ended').catch(() => problems.push('no end'));
  const state = await page.evaluate(() => window.state);
  await page.close();
  problems.push(...state.errors);
  if (mse && state.ranges?.length !== 1) problems.push(`buffered ${JSON.stringify(state.ranges)}`);
  if (Math.abs(state.duration - frames / 25) > 0.1) problems.push(`duration ${state.duration}`);
  return {problems, cost, state};
}

for (const name of ['first.mp4', 'last.mp4', 'hybrid.mp4', 'cmaf.mp4']) check(`mp4box.js reads ${name}`, readByMp4box(name));
const browser = await launch();
// At a pace, or a whole file has left before the first picture is up and the counts say nothing.
const server = await serve({'/media/': folder, '/page/': here}, 4e6);
const cost = {};
for (const name of ['first.mp4', 'last.mp4', 'hybrid.mp4']) {
  const played = await play(browser, server, name, false);
  cost[name] = played.cost;
  const size = fs.statSync(path.join(folder, name)).size;
  check(`Chromium plays and seeks ${name} over ranges`, played.problems,
        `before the first picture: ${played.cost.requests} request(s), ${played.cost.sent} of ${size} bytes sent`);
}
check('a movie box in front needs fewer requests', cost['first.mp4'].requests < cost['last.mp4'].requests ? [] : [JSON.stringify(cost)]);
const played = await play(browser, server, 'cmaf.mp4', true);
check('Chromium plays cmaf.mp4 through Media Source Extensions', played.problems, JSON.stringify(played.state));
console.log(`1..${number}`);
await browser.close();
server.close();
process.exit(failed ? 1 : 0);
