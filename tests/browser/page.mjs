// The first minute with hullcmafsink: node page.mjs
// gst-launch-1.0 with no property set serves a page that plays the stream and shows its latency, beside metrics.
import {spawn} from 'node:child_process';
import fs from 'node:fs';
import net from 'node:net';
import path from 'node:path';
import {launch, skip} from './chromium.mjs';
import {here} from './measure.mjs';

const modules = path.join(here, 'node_modules');
if (!fs.existsSync(path.join(modules, 'dashjs'))) skip('the players are not installed (npm install in tests/browser)');

let failures = 0;
const check = (holds, what) => {
  console.log(`${holds ? 'ok' : 'not ok'} ${what}`);
  if (!holds) ++failures;
};
const isFree = (port) => new Promise((done) => {
  const probe = net.createServer().once('error', () => done(false)).listen(port, '127.0.0.1', () => probe.close(() => done(true)));
});

/** gst-launch-1.0 … ! hullcmafsink `properties`; resolves to {url, stop} once the origin listens. */
async function onAir(properties, players) {
  const line = `-m videotestsrc is-live=true ! hullh264enc ! hullcmafsink ${properties}`;
  const child = spawn('gst-launch-1.0', line.split(' ').filter(Boolean), {env: {...process.env, HULL_PLAYER_DIR: players}, stdio: ['ignore', 'pipe', 'inherit']});
  const ended = new Promise((done) => child.on('exit', done));
  const url = await new Promise((done, failed) => {
    let text = '';
    child.stdout.on('data', (data) => {
      text = (text + data).slice(-20000);
      const found = /hull-origin-started, url=\(string\)(\S+?), port/.exec(text);
      if (found) done(found[1].replaceAll('"', '').replaceAll('\\', ''));
    });
    ended.then((code) => failed(new Error(`gst-launch-1.0 ended: ${code}`)));
  });
  return {url, stop: () => (child.kill('SIGINT'), ended)};
}

const usual = await isFree(8080);
const air = await onAir(usual ? '' : 'port=0', modules);
check(!usual || air.url === 'http://127.0.0.1:8080/', `without properties it is at http://127.0.0.1:8080/ (${air.url})`);
const browser = await launch();
for (const player of ['dash', 'hls', 'shaka']) {
  const page = await browser.newPage();
  const wrong = [];
  page.on('pageerror', (error) => wrong.push(String(error)));
  await page.goto(player === 'dash' ? air.url : `${air.url}?player=${player}`); // dash.js is what the page takes by itself
  const seen = await page.waitForFunction(() => {
    const latency = parseFloat(document.getElementById('latency').textContent);
    return document.getElementById('video').currentTime > 0 && latency > 0 && latency < 10 && latency;
  }, null, {timeout: 30000}).then((handle) => handle.jsonValue(), () => null);
  await page.waitForTimeout(3000);
  const [before, stalls] = await page.evaluate(() => [document.getElementById('video').currentTime, document.getElementById('stalls').textContent]);
  await page.waitForTimeout(1000);
  const after = await page.evaluate(() => document.getElementById('video').currentTime);
  check(seen && after > before && !wrong.length, `${player} plays on the page: latency ${seen} s, ${stalls} stalls ${wrong.join(' ')}`);
  await page.close();
}
const metrics = await (await fetch(`${air.url}metrics`)).text();
check(/^hull_http_requests_total\{kind="manifest"\} [1-9]/m.test(metrics) && /^hull_chunks_total [1-9]/m.test(metrics), 'metrics count');
await browser.close();
await air.stop();

const bare = await onAir('port=0', '/nowhere');
check(/:[1-9]\d*\/$/.test(bare.url) && bare.url !== air.url, `port=0 takes a free one and says which: ${bare.url}`);
check((await (await fetch(bare.url)).text()).includes('npm install'), 'without players the page says how to get them');
await bare.stop();
process.exit(failures ? 1 : 0);
