// hullcmafsink in three players in headless Chromium: node live.mjs SOURCE [SECONDS] [--case player:target …]
//   [--audio 0|1] [--warm SECONDS] [--sink "name=value …"] [--json FILE]
// Asserts that nothing stalls and, loosely, the latency; prints what it measured. Machines under load get more room.
import {spawn} from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import {fileURLToPath} from 'node:url';
import {launch, skip} from './chromium.mjs';
import {serve} from './server.mjs';

const here = path.dirname(fileURLToPath(import.meta.url));
const [source, seconds = '20', ...rest] = process.argv.slice(2);
const option = (name, fallback) => {
  const at = rest.indexOf(`--${name}`);
  return at < 0 ? fallback : rest[at + 1];
};
const cases = rest.flatMap((word, i) => (rest[i - 1] === '--case' ? [word] : []));
if (!cases.length) cases.push('dash:1', 'hls:0', 'shaka:1');
const warm = Number(option('warm', '6'));
const modules = path.join(here, 'node_modules');
if (!fs.existsSync(path.join(modules, 'dashjs'))) skip('the players are not installed (npm install in tests/browser)');

const browser = await launch();
const pages = await serve({'/npm/': modules, '/page/': here});
const total = cases.length * (Number(seconds) + 6) + 20;
const child = spawn(source, [String(total), option('audio', '1'), ...option('sink', '').split(' ').filter(Boolean)],
                    {stdio: ['ignore', 'pipe', 'inherit']});
const url = await new Promise((done, failed) => {
  let text = '';
  child.stdout.on('data', (data) => {
    text += data;
    const found = /url (\S+)/.exec(text);
    if (found) done(found[1]);
  });
  child.on('exit', (code) => (code === 77 ? skip('an encoder is missing') : failed(new Error(`the source ended: ${code}`))));
});
await new Promise((done) => setTimeout(done, 6000));

const at = (values, share) => [...values].sort((a, b) => a - b)[Math.min(values.length - 1, Math.floor(share * values.length))];
let failures = 0;
const results = [];
for (const [player, target] of cases.map((word) => word.split(':'))) {
  const page = await browser.newPage();
  await page.goto(`${pages.origin}/page/live.html?player=${player}&target=${target}&url=${encodeURIComponent(url)}`);
  await page.waitForTimeout(Number(seconds) * 1000);
  const state = await page.evaluate(() => window.state);
  await page.close();
  const steady = state.samples.filter(([time]) => time > state.first + warm * 1000);
  const ages = steady.map(([, age]) => age / 1000);
  const freezes = steady.filter((sample, i) => i && sample[0] - steady[i - 1][0] > 200).length;
  const stalls = state.waiting.filter((time) => time > state.first + warm * 1000).length;
  const result = {
    player, target: Number(target), first_picture_ms: state.first, pictures: steady.length, unread: state.unread,
    median: at(ages, 0.5), p5: at(ages, 0.05), p95: at(ages, 0.95), stalls, freezes, errors: state.errors.slice(0, 5),
  };
  results.push({...result, samples: state.samples});
  const goal = (Number(target) || 1.5) + 1;
  const sound = steady.length > 100 && stalls === 0 && result.median < goal && !state.errors.some((e) => /fatal=true|shaka|media error/.test(e));
  if (!sound) ++failures;
  console.log(`${sound ? 'ok' : 'not ok'} ${JSON.stringify(result)}`);
}
console.log(`load ${os.loadavg()[0].toFixed(1)}`);
if (option('json')) fs.writeFileSync(option('json'), JSON.stringify(results));
child.removeAllListeners('exit');
child.kill();
await browser.close();
pages.close();
process.exit(failures ? 1 : 0);
