// docs/guides/varnish.vcl in front of two encoders: node varnish.mjs SOURCE [VIEWERS]
// Each object costs the origin one request however many follow it while it grows, and when the first encoder is killed
// viewers go on with the second, which names the same objects.
import fs from 'node:fs';
import http from 'node:http';
import {startSource, startVarnish} from './measure.mjs';

const [program, viewers = '20'] = process.argv.slice(2);
const kSink = 'epoch-lock=true segment-duration=1000000000 dvr-window=20000000000';
const agent = new http.Agent({keepAlive: true, maxSockets: 1000});
const fail = (text) => { console.log(`not ok ${text}`); process.exitCode = 1; };

const get = (url) => new Promise((done, failed) => {
  const begun = Date.now();
  http.get(url, {agent}, (reply) => {
    const parts = [];
    let first;
    reply.on('data', (data) => { first ??= Date.now() - begun; parts.push(data); });
    reply.on('end', () => done({status: reply.statusCode, body: Buffer.concat(parts), first, age: Date.now() - begun}));
    reply.on('error', failed);
  }).on('error', failed);
});
const metric = async (url, kind) => Number(new RegExp(`kind="${kind}"} (\\d+)`).exec((await get(`${url}metrics`)).body.toString())?.[1]);
const newest = async (url) => Number((await get(`${url}v1.m3u8`)).body.toString().match(/v1\/(\d+)\.m4s/g).at(-1).match(/\/(\d+)/)[1]);

const first = await startSource(program, {seconds: 120, sink: kSink, audio: false});
const second = await startSource(program, {seconds: 120, sink: kSink, audio: false});
const varnish = await startVarnish([first.url, second.url]);
await get(`${varnish.url}v1.m3u8`);

// Twenty viewers join within one second, each at its own moment, and follow three segments.
const from = await newest(varnish.url) + 1;
const before = await metric(first.url, 'object');
const seen = new Map();
let statuses = 0, growing = 0;
await Promise.all(Array.from({length: Number(viewers)}, async (_, viewer) => {
  await new Promise((done) => setTimeout(done, (viewer * 1000) / viewers));
  for (let number = from; number < from + 3; ++number) {
    const reply = await get(`${varnish.url}v1/${number}.m4s`);
    if (reply.status !== 200) ++statuses;
    if (reply.age - reply.first > 300) ++growing;
    const known = seen.get(number);
    if (known && !known.equals(reply.body)) fail(`segment ${number} differs between viewers`);
    seen.set(number, reply.body);
  }
}));
const asked = await metric(first.url, 'object') - before;
console.log(`${viewers} viewers, 3 segments each: ${asked} origin requests, ${growing} replies grew while they were read`);
if (statuses) fail(`${statuses} replies were errors`);
if (asked !== 3) fail(`the origin was asked ${asked} times for 3 objects`);
if (growing < viewers) fail('the segments came whole: nobody saw them grow');

// The first encoder dies as by kill -9; its successor goes on with the numbers.
await first.kill();
const died = Date.now();
const next = from + 4;
let reply;
for (let number = next; number < next + 3; ++number) {
  for (let tries = 0; tries < 40; ++tries) {
    reply = await get(`${varnish.url}v1/${number}.m4s`).catch(() => null);
    if (reply?.status === 200) break;
    await new Promise((done) => setTimeout(done, 200));
  }
  if (reply?.status !== 200 || reply.body.length < 500) fail(`segment ${number} never came from the second encoder: ${reply?.status}`);
}
console.log(`the second encoder took over within ${((Date.now() - died) / 1000).toFixed(1)} s`);
const list = (await get(`${varnish.url}v1.m3u8`)).body.toString();
if (!list.includes(`v1/${next}.m4s`)) fail('the playlist does not go on with the same numbers');

// The first comes back and names what the second names.
const again = await startSource(program, {seconds: 60, sink: `${kSink} `, audio: false});
await get(`${again.url}v1.m3u8`);
const [a, b] = [await newest(again.url), await newest(second.url)];
console.log(`numbers after the restart: ${a} and ${b}`);
if (Math.abs(a - b) > 1) fail('a restarted encoder counts differently');
await again.stop();
await varnish.stop();
await second.stop();
fs.writeSync(1, process.exitCode ? '' : 'ok\n');
process.exit();
