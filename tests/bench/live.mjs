// Glass to glass latency of hullcmafsink in real players: node live.mjs SOURCE CROWD [--seconds 60] [--only NAME] [--json FILE]
// Each case has a source of its own (hullh264enc 640x360 at 25/s, 1.5 Mb/s, AAC), and plays for that long after 12 s.
import {execFileSync} from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import {launch} from '../browser/chromium.mjs';
import {measure, quantile, servePages, startSource, startVarnish} from '../browser/measure.mjs';

const [program, crowd, ...rest] = process.argv.slice(2);
const option = (name, fallback) => (rest.includes(`--${name}`) ? rest[rest.indexOf(`--${name}`) + 1] : fallback);
const seconds = Number(option('seconds', '60')), only = option('only', '');
const kWarm = 12;
const kLong = 'segment-duration=4000000000';
const kFrames = `${kLong} chunk-duration=40000000`;
// What must be reached, in seconds.
const cases = [
  {name: 'dash 3', player: 'dash', target: 3, sink: kLong, goal: 3.08},
  {name: 'dash 1', player: 'dash', target: 1, sink: kLong, goal: 1.08},
  {name: 'dash 0.5', player: 'dash', target: 0.5, sink: kLong, goal: 0.58},
  {name: 'dash 0.2, chunks of one frame', player: 'dash', target: 0.2, sink: kFrames, goal: 0.25},
  {name: 'dash 0.1, chunks of one frame', player: 'dash', target: 0.1, sink: kFrames, goal: 0.2},
  {name: 'hls.js default', player: 'hls', target: 0, sink: '', goal: 1.2},
  {name: 'shaka 1', player: 'shaka', target: 1, sink: kLong, goal: 1.12},
  {name: 'dash 1 behind varnish', player: 'dash', target: 1, sink: kLong, varnish: true, goal: 1.1},
].filter(({name}) => name.includes(only));

const pages = await servePages();
const browser = await launch();
const kept = [];
for (const {name, player, target, sink, varnish, goal} of cases) {
  const source = await startSource(program, {seconds: seconds + kWarm + 30, sink});
  await new Promise((done) => setTimeout(done, 9000));
  const cache = varnish ? await startVarnish([source.url]) : null;
  const load = os.loadavg()[0];
  const result = await measure(browser, pages, {url: cache?.url ?? source.url, player, target, seconds: seconds + kWarm, warm: kWarm});
  const spread = result.p95 - result.p5;
  console.log(`${name.padEnd(32)} median ${result.median?.toFixed(3)} s (goal ${goal})  p95-p5 ${spread.toFixed(3)}  stalls ${result.stalls}  ` +
    `freezes ${result.freezes}  first picture ${result.first_picture_ms} ms  errors ${result.errors.length + result.missed.length}  load ${load.toFixed(1)}`);
  if (result.missed.length || result.errors.length) console.log('  ', [...result.missed, ...result.errors].slice(0, 4).join(' | '));
  kept.push({name, goal, load, ...result});
  await cache?.stop();
  await source.stop();
}
await browser.close();
pages.close();
const first = kept.map((result) => result.first_picture_ms);
if (first.length > 2) console.log(`time to first picture: median ${quantile(first, 0.5)} ms of ${first.join(', ')}`);
if (!only || only === 'crowd') {
  const text = execFileSync(crowd, ['1000', '20', '1600']).toString();
  console.log(text.trim());
  kept.push({name: 'crowd', text});
}
if (option('json')) fs.writeFileSync(option('json'), JSON.stringify(kept));
