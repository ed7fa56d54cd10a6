// Glass to glass latency of hullcmafsink in real players: node live.mjs SOURCE CROWD [--seconds 60] [--warm 12] [--only NAME] [--starts 5] [--json FILE]
// Each case has a source of its own (hullh264enc 640x360 at 25/s, 1.5 Mb/s, AAC), and plays for that long after `warm` s. NAME may
// be several parts of names, with commas between them; "crowd" is the 1000 viewers. hls.js stays where it started, so its time
// is that of five starts (--starts), each at its own moment within a segment.
import {execFileSync} from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import {launch} from '../browser/chromium.mjs';
import {measure, quantile, servePages, startSource, startVarnish} from '../browser/measure.mjs';

const [program, crowd, ...rest] = process.argv.slice(2);
const option = (name, fallback) => (rest.includes(`--${name}`) ? rest[rest.indexOf(`--${name}`) + 1] : fallback);
const seconds = Number(option('seconds', '60')), only = option('only', '');
const kWarm = Number(option('warm', '12'));
const kLong = 'segment-duration=4000000000 chunk-duration=200000000';
const kFrames = 'segment-duration=4000000000 chunk-duration=40000000';
// What must be reached, in seconds.
const cases = [
  {name: 'dash 3', player: 'dash', target: 3, sink: kLong, goal: 3.08},
  {name: 'dash 1', player: 'dash', target: 1, sink: kLong, goal: 1.08},
  {name: 'dash 0.5', player: 'dash', target: 0.5, sink: kLong, goal: 0.58},
  {name: 'dash 0.2, chunks of one frame', player: 'dash', target: 0.2, sink: kFrames, goal: 0.25},
  {name: 'dash 0.1, chunks of one frame', player: 'dash', target: 0.1, sink: kFrames, goal: 0.2},
  {name: 'hls.js default', player: 'hls', target: 0, sink: '', goal: 1.2, starts: Number(option('starts', '5'))},
  {name: 'shaka 1', player: 'shaka', target: 1, sink: kLong, goal: 1.12},
  {name: 'dash 1 behind varnish', player: 'dash', target: 1, sink: kLong, varnish: true, goal: 1.1},
].filter(({name}) => only.split(',').some((part) => name.includes(part)));

const pages = await servePages();
const browser = await launch();
const kept = [];
const starting = (index) => cases[index] && startSource(program, {seconds: 3 * (seconds + kWarm) + 60, sink: cases[index].sink});
let next = starting(0);
if (next) await new Promise((done) => setTimeout(done, 9000));
for (const [index, {name, player, target, varnish, goal, starts = 1}] of cases.entries()) {
  const source = await next;
  next = starting(index + 1); // has nine seconds of its own while this one plays
  const cache = varnish ? await startVarnish([source.url]) : null;
  const load = os.loadavg()[0];
  const warm = starts > 1 ? 4 : kWarm, runs = [];
  for (let start = 0; start < starts; ++start)
    runs.push(await measure(browser, pages, {url: cache?.url ?? source.url, player, target, seconds: seconds / starts + warm + 0.37 * start, warm}));
  const sum = (key) => runs.reduce((total, run) => total + run[key], 0);
  const result = {
    median: quantile(runs.map((run) => run.median), 0.5), spread: Math.max(...runs.map((run) => run.p95 - run.p5)), stalls: sum('stalls'),
    freezes: sum('freezes'), first: runs.map((run) => run.first_picture_ms), wrong: runs.flatMap((run) => [...run.missed, ...run.errors]),
  };
  console.log(`${name.padEnd(32)} median ${result.median?.toFixed(3)} s (goal ${goal})  p95-p5 ${result.spread.toFixed(3)}  stalls ${result.stalls}  ` +
    `freezes ${result.freezes}  first picture ${result.first.join(' ')} ms  errors ${result.wrong.length}  load ${load.toFixed(1)}` +
    (starts > 1 ? `  starts ${runs.map((run) => run.median?.toFixed(3)).join(' ')}` : ''));
  if (result.wrong.length) console.log('  ', result.wrong.slice(0, 4).join(' | '));
  kept.push({name, goal, load, ...result, runs});
  await cache?.stop();
  await source.stop();
}
await browser.close();
pages.close();
const first = kept.flatMap((result) => result.first);
if (first.length > 2) console.log(`time to first picture: median ${quantile(first, 0.5)} ms of ${first.join(', ')}`);
for (const rate of !only || only.includes('crowd') ? ['even', '1600'] : []) {
  const text = execFileSync(crowd, ['1000', '20', rate]).toString().trim();
  console.log(`crowd ${rate}\n${text}`);
  kept.push({name: `crowd ${rate}`, text});
}
if (option('json')) fs.writeFileSync(option('json'), JSON.stringify(kept));
