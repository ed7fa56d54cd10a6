// node readers.mjs FOLDER: what reads a published folder without a browser agrees on it. ffprobe counts the frames of
// each track file; ffmpeg and GStreamer's dashdemux and hlsdemux must decode as many through the manifests. Speaks TAP.
import {execFile} from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import {promisify} from 'node:util';

import {serve} from './server.mjs';

const run = promisify(execFile);
const folder = path.resolve(process.argv[2]);
const work = fs.mkdtempSync(path.join(os.tmpdir(), 'hull-readers-'));
const server = await serve({'/': folder});
const kLimit = {timeout: 120000, maxBuffer: 1 << 26};

const counted = async (source, ...options) => {
  const {stdout, stderr} = await run('ffprobe', ['-v', 'warning', ...options, '-select_streams', 'v:0', '-count_frames', '-show_entries',
    'stream=nb_read_frames', '-of', 'csv=p=0', source], kLimit);
  return {frames: parseInt(stdout, 10), warnings: stderr.trim()};
};
const decoded = async (uri) => {
  const out = path.join(work, 'frames.gray');
  await run('gst-launch-1.0', ['-q', 'playbin', `uri=${uri}`, 'audio-sink=fakesink', `video-sink=videoconvert ! videoscale ! \
video/x-raw,format=GRAY8,width=16,height=16 ! filesink location=${out}`], kLimit);
  return fs.statSync(out).size / 256;
};

let number = 0, failed = 0;
const check = async (name, body) => {
  let problem;
  try {
    problem = await body();
  } catch (error) {
    problem = `${error.message}`.slice(0, 1500);
  }
  console.log(`${problem ? 'not ok' : 'ok'} ${++number} - ${name}`);
  if (problem) console.log(problem.split('\n').map((line) => `# ${line}`).join('\n'));
  failed += Boolean(problem);
};
const same = (got, wanted) => (got === wanted ? '' : `${got} frames instead of ${wanted}`);

const tracks = fs.readdirSync(folder).filter((name) => name.endsWith('.mp4'));
let frames = NaN;
for (const name of tracks) {
  await check(`ffprobe reads ${name}`, async () => {
    const {frames: n, warnings} = await counted(path.join(folder, name));
    if (warnings) return warnings;
    if (Number.isNaN(n)) return ''; // audio
    if (Number.isNaN(frames)) frames = n;
    return same(n, frames);
  });
}
await check('there is a video track', async () => (frames > 0 ? '' : `tracks: ${tracks}`));
for (const manifest of ['master.m3u8', 'manifest.mpd']) {
  const uri = `${server.origin}/${manifest}`;
  await check(`ffprobe follows ${manifest}`, async () => same((await counted(uri)).frames, frames));
  await check(`GStreamer follows ${manifest}`, async () => same(await decoded(uri), frames));
}
const missing = server.requests.filter((request) => request.status >= 400);
await check('no request failed', async () => missing.map((request) => `${request.status} ${request.name}`).join('\n'));
console.log(`1..${number}`);
fs.rmSync(work, {recursive: true});
server.close();
process.exit(failed ? 1 : 0);
