// What the live test and the live benchmark share: a source in a process of its own, and one player on one page.
import {spawn} from 'node:child_process';
import fs from 'node:fs';
import net from 'node:net';
import os from 'node:os';
import path from 'node:path';
import {fileURLToPath} from 'node:url';
import {skip} from './chromium.mjs';
import {serve} from './server.mjs';

export const here = path.dirname(fileURLToPath(import.meta.url));

export const quantile = (values, share) =>
  [...values].sort((a, b) => a - b)[Math.min(values.length - 1, Math.floor(share * values.length))];

/** Serves the page of live.html and the players; skips the test where they are not installed. */
export function servePages() {
  const modules = path.join(here, 'node_modules');
  if (!fs.existsSync(path.join(modules, 'dashjs'))) skip('the players are not installed (npm install in tests/browser)');
  return serve({'/npm/': modules, '/page/': here});
}

/** Starts hull-live-source; resolves to {url, stop} when its origin listens. */
export async function startSource(program, {seconds, audio = true, sink = ''}) {
  const child = spawn(program, [String(seconds), audio ? '1' : '0', ...sink.split(' ').filter(Boolean)],
                      {stdio: ['ignore', 'pipe', 'inherit']});
  process.on('exit', () => child.kill('SIGKILL')); // a test that throws leaves nobody behind
  const ended = new Promise((done) => child.on('exit', done));
  const url = await new Promise((done, failed) => {
    let text = '';
    child.stdout.on('data', (data) => {
      text += data;
      const found = /url (\S+)/.exec(text);
      if (found) done(found[1]);
    });
    ended.then((code) => (code === 77 ? skip('an encoder is missing') : failed(new Error(`the source ended: ${code}`))));
  });
  return {url, stop: () => (child.kill(), ended), kill: () => (child.kill('SIGKILL'), ended)};
}

/**
 * Plays `url` for `seconds`; figures of the time after the first `warm` seconds. Latency in seconds: the page's clock when
 * a picture is shown minus the time it carries. `stalls`: waiting events; `freezes`: more than 200 ms without a picture.
 */
export async function measure(browser, pages, {url, player, target = 0, seconds, warm}) {
  const page = await browser.newPage();
  const missed = [];
  page.on('response', (reply) => { if (reply.status() >= 400 && reply.url().startsWith(url)) missed.push(`${reply.status()} ${reply.url()}`); });
  await page.goto(`${pages.origin}/page/live.html?player=${player}&target=${target}&url=${encodeURIComponent(url)}`);
  await page.waitForTimeout(seconds * 1000);
  const state = await page.evaluate(() => window.state);
  await page.close();
  const start = state.first + warm * 1000;
  const steady = state.samples.filter(([time]) => time > start);
  const ages = steady.map(([, age]) => age / 1000);
  return {
    player, target: Number(target), first_picture_ms: state.first, pictures: steady.length, unread: state.unread,
    median: quantile(ages, 0.5), p5: quantile(ages, 0.05), p95: quantile(ages, 0.95),
    stalls: state.waiting.filter((time) => time > start).length,
    freezes: steady.filter((sample, i) => i && sample[0] - steady[i - 1][0] > 200).length,
    missed, errors: state.errors.slice(0, 5), samples: state.samples,
  };
}

export const freePort = () => new Promise((done) => {
  const probe = net.createServer().listen(0, '127.0.0.1', () => { const {port} = probe.address(); probe.close(() => done(port)); });
});

/** docs/guides/varnish.vcl in front of one or two origins; resolves to {url, stop}. Skips without varnishd. */
export async function startVarnish(urls) {
  if (!fs.existsSync('/usr/sbin/varnishd')) skip('varnish is not installed');
  const ports = urls.map((url) => new URL(url).port);
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'hull-varnish-'));
  fs.chmodSync(folder, 0o755); // its worker is another user
  let vcl = fs.readFileSync(path.join(here, '../../docs/guides/varnish.vcl'), 'utf8').replace('"8080"', `"${ports[0]}"`);
  if (ports[1]) vcl = vcl.replace('"8081"', `"${ports[1]}"`).replace(/^#second /gm, '');
  fs.writeFileSync(path.join(folder, 'hull.vcl'), vcl);
  const port = await freePort();
  const child = spawn('/usr/sbin/varnishd', ['-F', '-a', `127.0.0.1:${port}`, '-f', path.join(folder, 'hull.vcl'), '-n', path.join(folder, 'work'), '-s', 'malloc,64m'],
                      {stdio: ['ignore', 'ignore', 'pipe']});
  let complaint = '';
  child.stderr.on('data', (data) => { complaint += data; });
  const ended = new Promise((done) => child.on('exit', done));
  const url = `http://127.0.0.1:${port}/`;
  for (let tries = 0; ; ++tries) {
    if (await fetch(`${url}time`).then((reply) => reply.ok, () => false)) break;
    if (tries > 150 || child.exitCode !== null) throw new Error(`varnishd did not start: ${complaint}`);
    await new Promise((done) => setTimeout(done, 100));
  }
  return {url, stop: () => { child.kill(); return ended.then(() => fs.rmSync(folder, {recursive: true, force: true})); }};
}
