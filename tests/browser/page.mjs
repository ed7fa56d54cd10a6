// The first minute with hullcmafsink: node page.mjs
// gst-launch-1.0 with no property set serves a page that plays the stream and shows its latency, beside metrics.
import {execFileSync, spawn, spawnSync} from 'node:child_process';
import fs from 'node:fs';
import net from 'node:net';
import os from 'node:os';
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

/** Plays the page at `url` with `player` in a tab of `context`; `whilePlaying` is called before the tab is closed. */
async function play(context, url, player, whilePlaying = async () => {}) {
  const page = await context.newPage();
  const wrong = [];
  page.on('pageerror', (error) => wrong.push(String(error)));
  await page.goto(player === 'dash' ? url : `${url}?player=${player}`); // dash.js is what the page takes by itself
  const seen = await page.waitForFunction(() => {
    const latency = parseFloat(document.getElementById('latency').textContent);
    return document.getElementById('video').currentTime > 0 && latency > 0 && latency < 10 && latency;
  }, null, {timeout: 30000}).then((handle) => handle.jsonValue(), () => null);
  await page.waitForTimeout(3000);
  const [before, stalls] = await page.evaluate(() => [document.getElementById('video').currentTime, document.getElementById('stalls').textContent]);
  await page.waitForTimeout(1000);
  const after = await page.evaluate(() => document.getElementById('video').currentTime);
  check(seen && after > before && !wrong.length, `${player} plays at ${url}: latency ${seen} s, ${stalls} stalls ${wrong.join(' ')}`);
  await whilePlaying();
  await page.close();
}
const players = ['dash', 'hls', 'shaka'];

const usual = await isFree(8080);
const air = await onAir(usual ? '' : 'port=0', modules);
check(!usual || air.url === 'http://127.0.0.1:8080/', `without properties it is at http://127.0.0.1:8080/ (${air.url})`);
const browser = await launch();
for (const player of players) await play(browser, air.url, player);
const metrics = await (await fetch(`${air.url}metrics`)).text();
check(/^hull_http_requests_total\{kind="manifest"\} [1-9]/m.test(metrics) && /^hull_chunks_total [1-9]/m.test(metrics), 'metrics count');
await air.stop();

// Over TLS a browser speaks HTTP/2: a viewer is one connection. A context of its own has connections of its own.
if (spawnSync('openssl', ['version']).status === 0) {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'hull-page-'));
  execFileSync('openssl', ['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-days', '2', '-subj', '/CN=127.0.0.1',
                           '-keyout', `${folder}/key`, '-out', `${folder}/certificate`], {stdio: 'ignore'});
  fs.writeFileSync(`${folder}/both.pem`, fs.readFileSync(`${folder}/key`) + fs.readFileSync(`${folder}/certificate`));
  const secure = await onAir(`port=0 tls-certificate=${folder}/both.pem`, modules);
  check(secure.url.startsWith('https://'), `with a certificate it is at ${secure.url}`);
  for (const player of players) {
    const context = await browser.newContext({ignoreHTTPSErrors: true});
    await play(context, secure.url, player, async () => {
      // The connection that asks counts, too.
      const text = execFileSync('curl', ['-sk', `${secure.url}metrics`], {encoding: 'utf8'});
      const connections = Number(/^hull_http_connections (\d+)/m.exec(text)[1]) - 1;
      check(connections === 1, `${player} over TLS has ${connections} connections`);
    });
    await context.close();
  }
  await secure.stop();
  fs.rmSync(folder, {recursive: true, force: true});
}
await browser.close();

const bare = await onAir('port=0', '/nowhere');
check(/:[1-9]\d*\/$/.test(bare.url) && bare.url !== air.url, `port=0 takes a free one and says which: ${bare.url}`);
check((await (await fetch(bare.url)).text()).includes('npm install'), 'without players the page says how to get them');
await bare.stop();
process.exit(failures ? 1 : 0);
